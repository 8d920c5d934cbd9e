// What a call to a provider meant, and what follows from it (guarantees sections 5 and 8). Pure
// functions.
#pragma once
#include <chrono>
#include <exception>
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace patchbay {

enum class Verdict {
    accepted,
    retry_later,   ///< The provider asked for a pause: not accepted.
    not_sent,      ///< Not one byte left, or the plugin was not there.
    unknown,       ///< It may have gone out.
    refused,       ///< For good.
    opted_out,     ///< For good, and for every later message to this address.
    unauthorized,  ///< Our credentials: the channel pauses, no attempt is spent.
    stopping,  ///< The hub or the plugin is stopping, or our store is away: no attempt is spent.
    internal   ///< A fault of the plugin, before anything left.
};
/// As in table attempts, logs and metrics: accepted, retry_later, ...
std::string_view word(Verdict verdict);

/// What is known after one try.
struct TryResult {
    Verdict verdict = Verdict::internal;
    std::string provider_id, code, reason;
    std::chrono::milliseconds retry_after{0};
    std::vector<std::string> part_ids;
    std::string external_conversation;
    std::string status =
        "accepted";  ///< Only for `accepted`: a word of status.hpp of rank accepted or higher.
    std::string text() const;  ///< "code: reason", either may be missing.
};

TryResult classify(const SendResult& result);
/// Of what send() threw; any type.
TryResult classify(std::exception_ptr thrown);

/// The delay after the `attempt`-th failed try (from 1), without Retry-After: 5 s, 30 s, 2 min, ...
/// 20 h, times 1 + 0.2 * jitter. `jitter` is from -1 to 1.
std::chrono::milliseconds retry_delay(int64_t attempt, double jitter);

struct TryContext {
    int64_t attempt = 1, max_attempts = 12;
    TimeMs now = 0;
    double jitter = 0;
    std::chrono::milliseconds evidence_wait{15'000};
};

/// What becomes of the job and of its message.
struct NextStep {
    enum class Job { done, dead, ready, unknown } job = Job::done;
    TimeMs run_at = 0;  ///< of ready and unknown
    bool spend_attempt = true;
    bool pause_channel = false;
    std::string status;  ///< The message's new status; empty: as it is.
};
NextStep next_step(const TryResult& result, const TryContext& context);

}  // namespace patchbay
