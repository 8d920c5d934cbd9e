// The one source of time. Everything that stores or compares a time gets a Clock&, so that tests
// decide what time it is.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace patchbay {

/// Milliseconds since 1970-01-01 UTC, the unit of every time in the store.
using TimeMs = int64_t;

/// Called from any thread.
class Clock {
public:
    virtual ~Clock() = default;
    /// Wall clock, made monotone: never lower than a value it returned before.
    virtual TimeMs now_ms() const = 0;
    /// For timeouts and self-checks only; unrelated to the calendar.
    virtual std::chrono::steady_clock::time_point steady() const = 0;
};

/// The rule behind SystemClock (G17): follows the wall clock forward; where that went back, time
/// goes on, a sixteenth slower than the steady clock, until the wall has caught up. So nothing
/// that waits is early, and nothing waits for the length of the step. Not thread-safe.
class MonotoneTime {
public:
    using Duration = std::chrono::nanoseconds;
    /// Both since their own epochs. The answer is never lower than the one before.
    Duration at(Duration wall, Duration steady);

private:
    Duration value_{0}, steady_{0};
};

class SystemClock final : public Clock {
public:
    TimeMs now_ms() const override;
    std::chrono::steady_clock::time_point steady() const override;

private:
    mutable std::mutex mutex_;
    mutable MonotoneTime time_;
};

/// A clock that stands still until a test moves it; steady() moves with it.
class ManualClock final : public Clock {
public:
    explicit ManualClock(TimeMs start = 1'800'000'000'000) : now_(start) {}
    TimeMs now_ms() const override { return now_; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point{std::chrono::milliseconds{now_}};
    }
    void advance(std::chrono::milliseconds by) { now_ += by.count(); }
    void set(TimeMs to) { now_ = to; }

private:
    std::atomic<TimeMs> now_;
};

}  // namespace patchbay
