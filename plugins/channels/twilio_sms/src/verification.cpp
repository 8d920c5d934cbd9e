#include "verification.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <patchbay/text.hpp>
#include <twilio/countries.hpp>

#include "stored_row.hpp"

namespace patchbay::twilio_sms {
namespace {

using twilio::Verdict;
using twilio::VerifyAnswer;

constexpr milliseconds hour = std::chrono::hours{1}, day = std::chrono::hours{24};
// As long as the starts of a day count; so long "used" and "expired" can be told from "wrong".
constexpr milliseconds row_kept = std::chrono::hours{25};

constexpr milliseconds provider_wait = std::chrono::seconds{5};
// Without a word of Twilio's: its verification lives ten minutes.
constexpr milliseconds provider_limit_wait = std::chrono::minutes{10};

// What a call comes to that has no answer, or whose credentials are refused.
template <class Ask>
VerifyAnswer answer_of(Ask ask) try {
    return ask();
} catch (const ConnectionFailed& error) {
    return {.done = error.request_left};
} catch (const Error& error) {
    if (error.kind == ErrorKind::unauthorized) {
        return {.verdict = Verdict::misconfigured, .code = error.code, .done = false};
    }
    if (error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timed_out) {
        return {.done = error.request_left || error.kind == ErrorKind::timed_out};
    }
    throw;
}

}  // namespace

std::string word(VerifyOutcome outcome) {
    static constexpr std::array words{"pending",   "approved",      "wrong",
                                      "expired",   "used",          "too_many_attempts",
                                      "throttled", "undeliverable", "unavailable"};
    return words.at(static_cast<size_t>(outcome));
}

struct Verification::Claim {
    NumberRow before{}, after{};
    std::string id{}, code{};
    int64_t at_ms = 0;
};

// The key of the hashes is derived from the auth token, which is not in the database: who has only
// the database learns neither numbers nor codes.
Verification::Verification(const Config& config, const Host& host)
    : config_(config),
      host_(host),
      key_(host.hmac("sha256", config.auth_token.reveal(), "patchbay verification 1")),
      codes_(make_code_provider(config, host, key_)),
      gate_(config.verify, host, key_) {}

std::string Verification::key_of(const std::string& to) const {
    return "verify/number/" + to_hex(host_.hmac("sha256", key_, "number " + to)).substr(0, 32);
}

// ---- starting ----

Started Verification::start(const Call& call, const StartWish& wish) {
    Started started = begin(call, wish);
    note("start", started.outcome);
    return started;
}

Started Verification::begin(const Call& call, const StartWish& wish) {
    Claim claimed;
    auto wait = gate_.wait_for(wish.to, wish.address);
    if (!wait) wait = claim(wish, claimed);
    if (!wait) wait = gate_.take(wish.to, wish.address);
    if (wait) {
        host_.info(
            "a verification has to wait",
            {{"reason", wait->reason}, {"country", std::string{twilio::country_of(wish.to)}}});
        return {.outcome = VerifyOutcome::throttled, .retry_after = wait->time};
    }
    const VerifyAnswer answer =
        answer_of([&] { return codes_->send(call, wish, claimed.code, claimed.before); });
    if (answer.verdict == Verdict::pending) return settle(wish, claimed, answer);

    complain(answer);
    if (!answer.done) give_back(wish, claimed);
    const milliseconds asked = answer.retry_after;
    switch (answer.verdict) {
        case Verdict::too_many_checks:
            return {.outcome = VerifyOutcome::too_many_attempts,
                    .retry_after = std::max(asked, provider_limit_wait)};
        case Verdict::throttled:
            return {.outcome = VerifyOutcome::throttled,
                    .retry_after = asked.count() ? asked : provider_limit_wait};
        case Verdict::undeliverable:
            return {.outcome = VerifyOutcome::undeliverable};
        default:
            // What may have gone out counts: the next one has to wait as any other.
            return {.outcome = VerifyOutcome::unavailable,
                    .retry_after =
                        std::max({asked, provider_wait,
                                  answer.done ? config_.verify.resend_after : milliseconds{0}})};
    }
}

std::optional<Wait> Verification::wait_of(const NumberRow& row, int64_t now_ms) const {
    const auto since_sent = milliseconds{now_ms - row.sent_ms};
    if (row.sent_ms != 0 && since_sent < config_.verify.resend_after) {
        return Wait{"resend", config_.verify.resend_after - since_sent};
    }
    // The oldest of the last `most` starts has to be older than the window.
    const auto window_wait = [&](int64_t most, milliseconds window) -> std::optional<Wait> {
        if (row.starts.size() < static_cast<size_t>(most)) return std::nullopt;
        const int64_t free_ms =
            row.starts[row.starts.size() - static_cast<size_t>(most)] + window.count();
        if (free_ms <= now_ms) return std::nullopt;
        return Wait{"number", milliseconds{free_ms - now_ms}};
    };
    if (auto wait = window_wait(config_.verify.limits.number_per_hour, hour)) return wait;
    return window_wait(config_.verify.limits.number_per_day, day);
}

// Of two starts for one number at once, one gets here and the other has to wait.
std::optional<Wait> Verification::claim(const StartWish& wish, Claim& claimed) {
    claimed.id = host_.new_id();
    std::optional<Wait> wait;
    claimed.after = change_row<NumberRow>(host_, key_of(wish.to), row_kept, [&](NumberRow& row) {
        claimed.at_ms = host_.now_ms();
        wait = wait_of(row, claimed.at_ms);
        if (wait) return false;
        claimed.before = row;
        row.sent_ms = claimed.at_ms;
        row.starts.push_back(claimed.at_ms);
        std::erase_if(row.starts,
                      [&](int64_t at_ms) { return at_ms + day.count() <= claimed.at_ms; });
        claimed.code = codes_->prepare(row);
        // A code of our own is good from now on: whatever arrives at the phone has to be.
        if (!claimed.code.empty()) renew(row, claimed.id, claimed.at_ms);
        return true;
    });
    return wait;
}

bool Verification::is_alive(const NumberRow& row, int64_t now_ms) const {
    return !row.id.empty() && !row.approved && row.expires_ms > now_ms &&
           row.checks < config_.verify.max_checks;
}

void Verification::renew(NumberRow& row, const std::string& id, int64_t now_ms) const {
    if (!is_alive(row, now_ms)) row.id = id;
    row.expires_ms = now_ms + config_.verify.code_ttl.count();
    row.checks = 0;
    row.approved = false;
}

Started Verification::settle(const StartWish& wish, const Claim& claimed,
                             const VerifyAnswer& answer) {
    NumberRow row = claimed.after;
    if (claimed.code.empty()) {
        row = change_row<NumberRow>(host_, key_of(wish.to), row_kept, [&](NumberRow& now) {
            // Twilio sends the code of a living verification again: its life and its tries go on.
            if (now.sid == answer.sid && is_alive(now, claimed.at_ms)) return false;
            if (now.sid == answer.sid) now.id.clear();
            renew(now, claimed.id, claimed.at_ms);
            now.sid = answer.sid;
            return true;
        });
    }
    return {.outcome = VerifyOutcome::pending,
            .id = row.id,
            .expires_ms = row.expires_ms,
            .retry_after = config_.verify.resend_after};
}

// Nothing went out, so nothing is counted for the number.
void Verification::give_back(const StartWish& wish, const Claim& claimed) {
    change_row<NumberRow>(host_, key_of(wish.to), row_kept, [&](NumberRow& row) {
        if (row.sent_ms != claimed.at_ms) return false;
        row.sent_ms = claimed.before.sent_ms;
        if (!row.starts.empty()) row.starts.pop_back();
        return true;
    });
}

// ---- checking ----

Checked Verification::check(const Call& call, const std::string& to, const std::string& code) {
    Checked checked = judge(call, to, code);
    if (checked.outcome == VerifyOutcome::approved) gate_.note_approved(to);
    note("check", checked.outcome);
    return checked;
}

std::optional<VerifyOutcome> Verification::settled(const NumberRow& row) const {
    if (row.approved) return VerifyOutcome::used;
    if (row.checks >= config_.verify.max_checks) return VerifyOutcome::too_many_attempts;
    if (!row.id.empty() && row.expires_ms <= host_.now_ms()) return VerifyOutcome::expired;
    return std::nullopt;
}

// The try is stored before anybody learns what it was worth: of parallel ones each counts, and of
// two right ones the second finds the first.
Checked Verification::judge(const Call& call, const std::string& to, const std::string& code) {
    std::optional<VerifyOutcome> outcome;
    std::optional<bool> is_right;
    const auto row = change_row<NumberRow>(host_, key_of(to), row_kept, [&](NumberRow& tried) {
        outcome = settled(tried);
        if (outcome) return false;
        is_right = codes_->judge(tried, code);
        ++tried.checks;
        tried.approved = is_right.value_or(false);
        if (tried.approved) tried.hash.clear();
        return true;
    });
    const milliseconds new_start = config_.verify.resend_after;
    if (outcome) return {*outcome, new_start};
    if (is_right) return {*is_right ? VerifyOutcome::approved : VerifyOutcome::wrong};

    const VerifyAnswer answer = answer_of([&] { return codes_->ask(call, to, code); });
    complain(answer);
    if (!answer.done) give_try_back(to);
    const milliseconds least =
        answer.verdict == Verdict::unavailable || answer.verdict == Verdict::misconfigured
            ? provider_wait
            : new_start;
    return {conclude(to, row, answer), answer.retry_after.count() ? answer.retry_after : least};
}

VerifyOutcome Verification::conclude(const std::string& to, const NumberRow& tried,
                                     const VerifyAnswer& answer) {
    switch (answer.verdict) {
        case Verdict::approved:
            return approve(to, tried);
        case Verdict::pending:
            return VerifyOutcome::wrong;
        case Verdict::gone:
            // Twilio no longer has it: a new code is needed. A number that never had a start is
            // told what a wrong code is told.
            return tried.id.empty() ? VerifyOutcome::wrong : VerifyOutcome::expired;
        case Verdict::too_many_checks:
            return VerifyOutcome::too_many_attempts;
        case Verdict::throttled:
            return VerifyOutcome::throttled;
        case Verdict::undeliverable:
            return VerifyOutcome::undeliverable;
        default:
            return VerifyOutcome::unavailable;
    }
}

VerifyOutcome Verification::approve(const std::string& to, const NumberRow& tried) {
    bool is_first = false;
    change_row<NumberRow>(host_, key_of(to), row_kept, [&](NumberRow& row) {
        // A start since then is another verification.
        const bool is_same = row.id == tried.id;
        is_first = !is_same || !row.approved;
        row.approved = row.approved || is_same;
        return is_same && is_first;
    });
    return is_first ? VerifyOutcome::approved : VerifyOutcome::used;
}

void Verification::give_try_back(const std::string& to) {
    change_row<NumberRow>(host_, key_of(to), row_kept, [&](NumberRow& row) {
        if (row.checks == 0) return false;
        --row.checks;
        return true;
    });
}

// ---- what operators see ----

void Verification::note(const char* step, VerifyOutcome outcome) const {
    host_.count("verifications_total", 1, {{"step", step}, {"outcome", word(outcome)}});
    host_.debug("a verification", {{"step", step}, {"outcome", word(outcome)}});
}

// Twilio's words would name the number; its code does not.
void Verification::complain(const VerifyAnswer& answer) const {
    if (answer.verdict == Verdict::misconfigured) {
        host_.error("Twilio does not take verifications as they are configured",
                    {{"code", answer.code}});
    } else if (answer.verdict == Verdict::unavailable) {
        host_.warn("no answer of Twilio to a verification", {{"code", answer.code}});
    }
}

}  // namespace patchbay::twilio_sms
