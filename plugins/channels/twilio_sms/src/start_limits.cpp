#include "start_limits.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <patchbay/text.hpp>
#include <twilio/countries.hpp>
#include <vector>

#include "stored_row.hpp"

namespace patchbay::twilio_sms {
namespace {

constexpr milliseconds hour = std::chrono::hours{1}, day = std::chrono::hours{24};

const std::string pauses = "verify/paused/";

constexpr int slices_of_a_window = 60;
constexpr size_t digits_of_a_block = 3;

struct Slice {
    int64_t at_ms = 0;
    uint32_t count = 0;
    PATCHBAY_FIELDS { v(1, at_ms)(2, count); }
};

// Starts of the last hour or day, summed by slices: it never forgets one too early, and has at most
// 61 of them.
struct Tally {
    std::vector<Slice> slices{};
    uint32_t starts = 0, approvals = 0;  // Since the alarm last looked.
    int64_t paused_until_ms = 0;
    PATCHBAY_FIELDS { v(1, slices)(2, starts)(3, approvals)(4, paused_until_ms); }

    void forget(int64_t now_ms, milliseconds window) {
        std::erase_if(slices, [&](const Slice& slice) {
            return slice.at_ms + (window + window / slices_of_a_window).count() <= now_ms;
        });
    }
    int64_t sum() const {
        int64_t all = 0;
        for (const Slice& slice : slices) all += slice.count;
        return all;
    }
    void add(int64_t now_ms, milliseconds window) {
        const int64_t width = (window / slices_of_a_window).count();
        const int64_t at_ms = now_ms - now_ms % width;
        if (slices.empty() || slices.back().at_ms != at_ms) slices.push_back({at_ms, 0});
        ++slices.back().count;
    }
};

}  // namespace

struct StartGate::Limit {
    const char* reason;
    std::string key;
    int64_t most;
    milliseconds window;
    bool has_alarm;

    // Leaves `tally` as it is at `now_ms`.
    std::optional<Wait> wait_in(Tally& tally, int64_t now_ms) const {
        if (has_alarm && tally.paused_until_ms > now_ms) {
            return Wait{"paused", milliseconds{tally.paused_until_ms - now_ms}};
        }
        tally.forget(now_ms, window);
        if (tally.sum() < most) return std::nullopt;
        const milliseconds left{tally.slices.front().at_ms +
                                (window + window / slices_of_a_window).count() - now_ms};
        return Wait{reason, left};
    }

    // Looks at what came of the starts of `judged`, and pauses in `tally` where it is too little.
    std::optional<Wait> pause_after(const Tally& judged, Tally& tally, const PumpingAlarm& alarm,
                                    int64_t now_ms) const {
        if (judged.approvals * 100 >= judged.starts * alarm.approved_percent) return std::nullopt;
        tally.paused_until_ms = now_ms + alarm.pause.count();
        return Wait{"paused", alarm.pause};
    }
};

std::string counted_address(const std::string& text) {
    std::array<unsigned char, 16> bytes{};
    if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return text;
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return {};
    std::fill(bytes.begin() + 8, bytes.end(), 0);
    std::array<char, INET6_ADDRSTRLEN> shown{};
    ::inet_ntop(AF_INET6, bytes.data(), shown.data(), shown.size());
    return shown.data();
}

std::string StartGate::hashed(const std::string& what) const {
    return to_hex(host_.hmac("sha256", key_, what)).substr(0, 32);
}

std::vector<StartGate::Limit> StartGate::limits_of(const std::string& to,
                                                   const std::string& address) const {
    const std::string country{twilio::country_of(to)};
    const std::string block = to.substr(0, to.size() - std::min(to.size(), digits_of_a_block));
    const StartLimits& most = config_.limits;
    std::vector<Limit> limits{
        {"prefix", "verify/prefix/" + hashed("prefix " + block), most.prefix_per_hour, hour, true},
        {"country", "verify/country/" + country, most.country_per_day, day, true}};
    if (!address.empty()) {
        limits.push_back({"address",
                          "verify/address/" + hashed("address " + counted_address(address)),
                          most.address_per_hour, hour, false});
    }
    return limits;
}

std::optional<Wait> StartGate::wait_for(const std::string& to, const std::string& address) const {
    const auto& open = config_.allowed_countries;
    if (std::find(open.begin(), open.end(), twilio::country_of(to)) == open.end()) {
        return Wait{"closed", hour};
    }
    const int64_t now_ms = host_.now_ms();
    for (const Limit& limit : limits_of(to, address)) {
        auto tally = read_row<Tally>(host_, limit.key);
        if (auto wait = limit.wait_in(tally, now_ms)) return wait;
    }
    return std::nullopt;
}

std::optional<Wait> StartGate::take(const std::string& to, const std::string& address) {
    const int64_t now_ms = host_.now_ms();
    const std::lock_guard lock(mutex_);
    const auto limits = limits_of(to, address);
    for (const Limit& limit : limits) {
        std::optional<Wait> wait;
        Tally judged;
        change_row<Tally>(host_, limit.key, kept(), [&](Tally& tally) {
            judged = {};
            wait = limit.wait_in(tally, now_ms);
            if (wait) return false;
            if (limit.has_alarm && tally.starts >= config_.pumping.starts) {
                judged = tally;
                tally.starts = tally.approvals = 0;
                wait = limit.pause_after(judged, tally, config_.pumping, now_ms);
                if (wait) return true;
            }
            tally.add(now_ms, limit.window);
            ++tally.starts;
            return true;
        });
        if (!wait) continue;
        if (judged.starts > 0) {
            alert(to, limit.reason);
            for (const Limit& other : limits) {
                if (other.has_alarm && other.key != limit.key)
                    forget_starts(other, judged.starts, judged.approvals);
            }
        }
        return wait;
    }
    return std::nullopt;
}

// A block that is paused is no reason to pause its country as well.
void StartGate::forget_starts(const Limit& limit, uint32_t starts, uint32_t approvals) {
    change_row<Tally>(host_, limit.key, kept(), [&](Tally& tally) {
        tally.starts -= std::min(tally.starts, starts);
        tally.approvals -= std::min(tally.approvals, approvals);
        return true;
    });
}

void StartGate::note_approved(const std::string& to) {
    const std::lock_guard lock(mutex_);
    for (const Limit& limit : limits_of(to, {})) {
        change_row<Tally>(host_, limit.key, kept(), [](Tally& tally) {
            ++tally.approvals;
            return true;
        });
    }
}

// As long as a day's starts count, and a pause lasts.
milliseconds StartGate::kept() const { return std::max(day + hour, config_.pumping.pause); }

std::vector<std::string> StartGate::paused() const {
    std::vector<std::string> places = host_.keys(pauses);
    for (std::string& place : places) place.erase(0, pauses.size());
    return places;
}

// Somebody may be earning on the texts. The block is not named: it is nearly a number.
void StartGate::alert(const std::string& to, const char* scope) const {
    const std::string country{twilio::country_of(to)};
    host_.error("verification is paused: too few of the codes are entered",
                {{"country", country}, {"scope", scope}});
    host_.store(pauses + std::string{scope} + " " + country, "", config_.pumping.pause);
    host_.count("verification_pauses_total", 1, {{"country", country}, {"scope", scope}});
}

}  // namespace patchbay::twilio_sms
