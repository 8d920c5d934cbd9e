#include "identity/login_limits.hpp"

#include <algorithm>
#include <chrono>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "http/peer.hpp"
#include "http/problem.hpp"
#include "identity/statements.hpp"
#include "identity/users.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr int64_t window = std::chrono::milliseconds{15min}.count();
constexpr int64_t account_step = window / 10;
constexpr int64_t address_step = window / 30;
constexpr int64_t most_strikes = 10;

/// One customer gets a whole /64 of IPv6.
std::string network_of(const std::string& text) {
    auto address = PeerAddress::parse(text);
    if (!address || address->is_mapped()) return text;
    std::fill(address->bytes.begin() + 8, address->bytes.end(), uint8_t{0});
    return address->text() + "/64";
}

TimeMs full_at(Session& session, const std::string& bucket, TimeMs now) {
    const auto row = session.first(sql::rate_peek, {bucket});
    return row ? std::max(row->number(0), now) : now;
}

/// GCRA without a limit of its own: the caller has looked.
void add_to(Transaction& tx, const std::string& bucket, TimeMs now, int64_t cost) {
    tx.run(sql::rate_take, {bucket, now + cost, now, cost, INT64_MAX});
}

}  // namespace

LoginLimits::LoginLimits(Store& store, const std::string& email, const std::string& address)
    : store_(store) {
    // The store keeps no e-mail address of people who do not exist.
    const std::string hash = to_hex(sha256(folded_email(email))).substr(0, 24);
    account_ = "login:account:" + hash;
    strikes_ = "login:strikes:" + hash;
    address_ = "login:address:" + network_of(address);
}

void LoginLimits::refuse_until(TimeMs free_at, TimeMs now) const {
    if (free_at <= now) return;
    throw Problem("rate_limited", "Too many failed sign-ins. Try again later.")
        .retry_after(std::chrono::seconds{(free_at - now + 999) / 1000});
}

void LoginLimits::take() {
    account_cost_ = store_.write([this](Transaction& tx) {
        const TimeMs now = store_.clock().now_ms();
        const TimeMs account = full_at(tx, account_, now);
        const TimeMs address = full_at(tx, address_, now);
        refuse_until(std::max(account + account_step, address + address_step) - window, now);
        // Beyond the ten that are free each failure makes the next wait longer.
        int64_t cost = account_step;
        if (account + 2 * account_step > now + window) {
            const int64_t strikes = (full_at(tx, strikes_, now) - now + window - 1) / window;
            cost = std::min(window, account_step << std::min(strikes, most_strikes));
            add_to(tx, strikes_, now, window);
        }
        add_to(tx, account_, now, cost);
        add_to(tx, address_, now, address_step);
        return cost;
    });
}

void LoginLimits::give_back() {
    store_.write(
        [this](Transaction& tx) {
            tx.run(sql::rate_return, {account_cost_, account_});
            tx.run(sql::rate_return, {address_step, address_});
            tx.run(sql::rate_forget, {strikes_});
        },
        Urgency::owed);
}

}  // namespace patchbay
