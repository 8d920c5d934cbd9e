#include "base/clock.hpp"

namespace patchbay {

TimeMs SystemClock::now_ms() const {
    using namespace std::chrono;
    const TimeMs now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    TimeMs highest = highest_.load(std::memory_order_relaxed);
    while (highest < now && !highest_.compare_exchange_weak(highest, now)) {
    }
    return std::max(highest, now);
}

std::chrono::steady_clock::time_point SystemClock::steady() const {
    return std::chrono::steady_clock::now();
}

}  // namespace patchbay
