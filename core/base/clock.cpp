#include "base/clock.hpp"

#include <algorithm>

namespace patchbay {

namespace {

// Small enough that what compares a minute of both clocks (ClockGuard) sees no jump.
constexpr int lag = 16;

}  // namespace

MonotoneTime::Duration MonotoneTime::at(Duration wall, Duration steady) {
    const Duration passed = std::max(Duration::zero(), steady - steady_);
    const bool is_first = value_ == Duration::zero();
    steady_ += passed;
    value_ = is_first ? wall : std::max(wall, value_ + passed - passed / lag);
    return value_;
}

TimeMs SystemClock::now_ms() const {
    using namespace std::chrono;
    // Read under the lock: two threads must not hand their readings over in the wrong order.
    const std::lock_guard lock{mutex_};
    const auto now =
        time_.at(system_clock::now().time_since_epoch(), steady_clock::now().time_since_epoch());
    return duration_cast<milliseconds>(now).count();
}

std::chrono::steady_clock::time_point SystemClock::steady() const {
    return std::chrono::steady_clock::now();
}

}  // namespace patchbay
