// Webhooks that are signed well and are for an account that is not ours (S49): one is a mistake at
// the provider, many are a mistake of ours that loses messages.
#pragma once
#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>

namespace patchbay {

/// Of one instance. [any thread]
class Strangers {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// So many came now. True once a minute, while more than ten come in one.
    bool note(size_t count, Time now) {
        const std::lock_guard lock{mutex_};
        for (; count > 0; --count) {
            seen_.push_back(now);
            if (seen_.size() > most_in_a_minute + 1) seen_.pop_front();
        }
        if (seen_.size() <= most_in_a_minute || now - seen_.front() >= minute) return false;
        if (last_alarm_ && now - *last_alarm_ < minute) return false;
        last_alarm_ = now;
        return true;
    }
    /// Whether the last alarm is less than a minute old.
    bool are_many(Time now) const {
        const std::lock_guard lock{mutex_};
        return last_alarm_ && now - *last_alarm_ < minute;
    }

private:
    static constexpr size_t most_in_a_minute = 10;
    static constexpr std::chrono::seconds minute{60};
    mutable std::mutex mutex_;
    std::deque<Time> seen_;  // The latest eleven.
    std::optional<Time> last_alarm_;
};

}  // namespace patchbay
