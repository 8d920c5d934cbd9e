#include "identity/identity.hpp"

#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "base/log.hpp"
#include "identity/statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds limit_window = 15min;
constexpr int failures_per_account = 10;
constexpr int failures_per_address = 30;
constexpr std::chrono::milliseconds invite_life = 30min;

std::vector<std::string> token_keys(const HubConfig& config) {
    std::vector<std::string> keys = config.auth.token_keys;
    if (!config.auth.missing_key_file.empty()) {
        keys.push_back(make_token_key(config.auth.missing_key_file.string()));
    }
    return keys;
}

/// One customer gets a whole /64 of IPv6.
std::string network_of(const std::string& address) {
    if (address.find(':') == std::string::npos) return address;
    size_t end = 0;
    for (int group = 0; group < 4 && end != std::string::npos; ++group) {
        end = address.find(':', end + (group > 0));
    }
    return address.substr(0, end) + "/64";
}

/// A throttle on failures: `count` of them in the window, then one each window/count.
struct Throttle {
    std::string bucket;
    int count;
    int64_t cost() const { return limit_window.count() / count; }
};

std::vector<Throttle> throttles(const std::string& email, const std::string& address) {
    // The store keeps no e-mail address of people who do not exist.
    const std::string account = to_hex(sha256(folded_email(email))).substr(0, 24);
    return {{"login:account:" + account, failures_per_account},
            {"login:address:" + network_of(address), failures_per_address}};
}

void require_free(Session& session, const std::vector<Throttle>& all, TimeMs now) {
    for (const auto& throttle : all) {
        const auto row = session.first(sql::rate_peek, {throttle.bucket});
        const int64_t latest = now + limit_window.count() - throttle.cost();
        if (!row || row->number(0) <= latest) continue;
        const std::chrono::seconds wait{(row->number(0) - latest + 999) / 1000};
        throw Problem("rate_limited", "Too many failed sign-ins. Try again later.")
            .retry_after(wait);
    }
}

void note_failures(Store& store, const std::vector<Throttle>& all, TimeMs now) {
    store.write([&](Transaction& tx) {
        for (const auto& throttle : all) {
            const int64_t cost = throttle.cost();
            tx.run(sql::rate_take,
                   {throttle.bucket, now + cost, now, cost, now + limit_window.count() - cost});
        }
    });
}

std::string_view bearer(const HttpRequest& request) {
    const auto header = request.header("Authorization");
    if (!header) {
        if (request.count("Authorization") > 1) throw unauthenticated();
        return {};
    }
    if (header->size() < 8 || ascii_lower(header->substr(0, 7)) != "bearer ") {
        throw unauthenticated();
    }
    return trim(header->substr(7));
}

Caller local_operator() {
    Caller caller;
    caller.kind = "local";
    caller.id = "local";
    caller.name = "Local operator";
    caller.role = "owner";
    return caller;
}

Caller caller_from(const User& user) {
    Caller caller;
    caller.kind = "user";
    caller.id = user.id;
    caller.number = user.number;
    caller.email = user.email;
    caller.name = user.name;
    caller.role = user.role;
    caller.departments = user.departments;
    return caller;
}

}  // namespace

Identity::Identity(const HubConfig& config, Store& store, Ids& ids, ScryptCost cost)
    : store_(store),
      ids_(ids),
      passwords_(cost),
      tokens_(token_keys(config), config.auth.token_ttl) {}

SignInResult Identity::sign_in(const User& user, std::chrono::milliseconds ttl) {
    const TimeMs now = clock().now_ms();
    SignInResult out;
    out.token = tokens_.sign(user.id, user.token_version, now, ttl);
    out.expires_at = tokens_.verify(out.token, now).expires_at;
    out.user = user;
    return out;
}

SignInResult Identity::login(const std::string& email, const std::string& password,
                             const std::string& address) {
    const TimeMs now = clock().now_ms();
    const auto limits = throttles(email, address);
    auto user = store_.read([&](Session& session) {
        require_free(session, limits, now);
        return find_user_by_email(session, email);
    });
    const bool known = user && user->active();
    // Hashes for unknown users too: the time must not tell them apart.
    const bool right = passwords_.matches(password, known ? user->password_hash : "");
    if (!right) {
        note_failures(store_, limits, now);
        throw Problem("invalid_credentials", "E-mail address or password is wrong.");
    }
    std::string fresh;
    if (passwords_.is_outdated(user->password_hash)) fresh = passwords_.hash(password);
    store_.write([&](Transaction& tx) {
        if (!fresh.empty()) set_password(tx, user->id, fresh, false, now);
        tx.run(sql::user_signed_in, {now, user->id});
    });
    return sign_in(*user, {});
}

SignInResult Identity::token_for(const std::string& email_or_id, std::chrono::milliseconds ttl) {
    const auto user = store_.read([&](Session& session) {
        return email_or_id.find('@') == std::string::npos
                   ? find_user(session, email_or_id)
                   : find_user_by_email(session, email_or_id);
    });
    if (!user || !user->active()) throw Problem("unknown_id", "There is no such active user.");
    return sign_in(*user, ttl);
}

Caller Identity::caller_of(const HttpRequest& request) {
    if (request.control) return local_operator();
    const std::string_view token = bearer(request);
    if (token.empty()) return {};
    const TokenClaims claims = tokens_.verify(token, clock().now_ms());
    const auto user =
        store_.read([&](Session& session) { return find_user(session, claims.user_id); });
    if (!user || !user->active() || user->token_version != claims.token_version) {
        throw unauthenticated();
    }
    return caller_from(*user);
}

std::string Identity::make_invite(Transaction& tx, const std::string& user_id) {
    const std::string secret = to_base64url(random_bytes(32));
    tx.run(sql::ticket_add, {Blob{sha256(secret)}, std::string("invite"), user_id, Value{},
                             clock().now_ms() + invite_life.count()});
    return secret;
}

SignInResult Identity::accept_invite(const std::string& secret, const std::string& password) {
    const std::string phc = passwords_.hash(password);
    const TimeMs now = clock().now_ms();
    const auto user = store_.write([&](Transaction& tx) -> std::optional<User> {
        const auto row =
            tx.first(sql::ticket_use, {Blob{sha256(secret)}, std::string("invite"), now});
        if (!row) return std::nullopt;
        set_password(tx, row->text(0), phc, true, now);
        return find_user(tx, row->text(0));
    });
    if (!user || !user->active()) {
        throw Problem("invalid_credentials", "The link is used or older than 30 minutes.");
    }
    return sign_in(*user, {});
}

Stage authenticate_api(Identity& identity) {
    return [&identity](const ExchangePtr& exchange, const Next& next) {
        const auto& roles = exchange->route->spec.roles;
        const bool is_public = std::find(roles.begin(), roles.end(), "public") != roles.end();
        // Nothing of a public route depends on the caller, so it costs no look-up either.
        if (!is_public) exchange->caller = identity.caller_of(exchange->request());
        next(exchange);
    };
}

Stage authorise() {
    return [](const ExchangePtr& exchange, const Next& next) {
        require_role(exchange->caller, exchange->route->spec.roles);
        next(exchange);
    };
}

}  // namespace patchbay
