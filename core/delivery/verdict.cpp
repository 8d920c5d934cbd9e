#include "delivery/verdict.hpp"

#include "store/store.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds delays[] = {5s, 30s, 2min, 10min, 30min, 1h, 2h, 4h, 8h, 12h, 20h};
constexpr milliseconds longest_retry_after = 1h;
constexpr double jitter_share = 0.2;
// A plugin that is being replaced is back in a moment.
constexpr milliseconds pause_while_stopping = 1s;

Verdict verdict_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::accepted:
            return Verdict::accepted;
        case Outcome::retry_later:
            return Verdict::retry_later;
        case Outcome::unknown:
            return Verdict::unknown;
        case Outcome::refused:
            return Verdict::refused;
        case Outcome::opted_out:
            return Verdict::opted_out;
    }
    return Verdict::unknown;  // A word this hub does not know yet: the careful reading.
}

Verdict verdict_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::unauthorized:
        case ErrorKind::forbidden:
            return Verdict::unauthorized;
        case ErrorKind::rate_limited:
            return Verdict::retry_later;
        case ErrorKind::request:
        case ErrorKind::refused:
        case ErrorKind::not_found:
        case ErrorKind::conflict:
        case ErrorKind::unsupported:
            return Verdict::refused;
        case ErrorKind::timed_out:
            return Verdict::unknown;  // An overrun says nothing about what had left by then.
        case ErrorKind::stopping:
            return error.request_left ? Verdict::unknown : Verdict::stopping;
        case ErrorKind::unavailable:
            return error.request_left ? Verdict::unknown : Verdict::not_sent;
        default:
            return error.request_left ? Verdict::unknown : Verdict::internal;
    }
}

// "queued" and the like say no more than that the provider has it.
std::string status_beyond_accepted(DeliveryStatus status) {
    switch (status) {
        case DeliveryStatus::sent:
            return "sent";
        case DeliveryStatus::delivered:
            return "delivered";
        case DeliveryStatus::read:
            return "read";
        case DeliveryStatus::failed:
            return "failed";
        default:
            return "accepted";
    }
}

milliseconds pause_before_retry(const TryResult& result, const TryContext& context) {
    return std::max(retry_delay(context.attempt, context.jitter),
                    std::min(result.retry_after, longest_retry_after));
}

}  // namespace

std::string_view word(Verdict verdict) {
    static constexpr std::string_view words[] = {"accepted",     "retry_later", "not_sent",
                                                 "unknown",      "refused",     "opted_out",
                                                 "unauthorized", "stopping",    "internal"};
    return words[static_cast<size_t>(verdict)];
}

std::string TryResult::text() const {
    if (code.empty()) return reason;
    return reason.empty() ? code : code + ": " + reason;
}

TryResult classify(const SendResult& result) {
    TryResult seen;
    seen.verdict = verdict_of(result.outcome);
    seen.provider_id = result.provider_id;
    seen.code = result.code;
    seen.reason = result.reason;
    seen.retry_after = result.retry_after;
    seen.part_ids = result.part_ids;
    seen.external_conversation = result.external_conversation;
    seen.status = status_beyond_accepted(result.status);
    return seen;
}

TryResult classify(std::exception_ptr thrown) {
    TryResult seen;
    try {
        std::rethrow_exception(std::move(thrown));
    } catch (const Error& error) {
        seen.verdict = verdict_of(error);
        seen.code = error.code.empty() ? word(error.kind) : error.code;
        seen.reason = error.what();
        seen.retry_after = error.retry_after;
    } catch (const StoreError& error) {
        // Our own disk or database, and it comes back: no reason to spend an attempt.
        const bool passes =
            error.kind == StoreError::Kind::unavailable || error.kind == StoreError::Kind::full;
        if (passes) seen.verdict = Verdict::stopping;
        seen.code = "storage";
        seen.reason = error.what();
    } catch (const std::exception& error) {
        seen.code = "internal";
        seen.reason = error.what();
    } catch (...) {
        seen.code = "internal";
        seen.reason = "not a std::exception";
    }
    return seen;
}

std::chrono::milliseconds retry_delay(int64_t attempt, double jitter) {
    const int64_t last = static_cast<int64_t>(std::size(delays)) - 1;
    const milliseconds delay = delays[std::clamp<int64_t>(attempt - 1, 0, last)];
    const double factor = 1 + jitter_share * std::clamp(jitter, -1.0, 1.0);
    return milliseconds{static_cast<int64_t>(static_cast<double>(delay.count()) * factor)};
}

NextStep next_step(const TryResult& result, const TryContext& context) {
    using Job = NextStep::Job;
    const TimeMs now = context.now;
    switch (result.verdict) {
        case Verdict::accepted:
            return {.job = Job::done, .status = result.status};
        case Verdict::refused:
        case Verdict::opted_out:
            return {.job = Job::dead, .status = "failed"};
        case Verdict::unknown:
            return {.job = Job::unknown,
                    .run_at = now + context.evidence_wait.count(),
                    .status = "unknown"};
        case Verdict::unauthorized:
            return {
                .job = Job::ready, .run_at = now, .spend_attempt = false, .pause_channel = true};
        case Verdict::stopping:
            return {.job = Job::ready,
                    .run_at = now + pause_while_stopping.count(),
                    .spend_attempt = false};
        case Verdict::retry_later:
        case Verdict::not_sent:
        case Verdict::internal:
            break;
    }
    if (context.attempt >= context.max_attempts) return {.job = Job::dead, .status = "failed"};
    return {.job = Job::ready, .run_at = now + pause_before_retry(result, context).count()};
}

}  // namespace patchbay
