#include "delivery/probation.hpp"

#include <utility>

namespace patchbay {
namespace {

constexpr std::chrono::seconds longest_wait{35};  // Longer than the longest call.

}  // namespace

Probation::Turn::Turn(Probation& probation, bool alone) : probation_(probation), alone_(alone) {
    std::unique_lock lock{probation.mutex_};
    const auto until = std::chrono::steady_clock::now() + longest_wait;
    probation.changed_.wait_until(lock, until, [&] { return !probation.reserved_; });
    if (alone) {
        probation.reserved_ = true;
        probation.changed_.wait_until(lock, until, [&] { return probation.running_ == 0; });
    }
    ++probation.running_;
}

Probation::Turn::~Turn() { end(); }

void Probation::Turn::end() {
    {
        const std::lock_guard lock{probation_.mutex_};
        if (std::exchange(has_ended_, true)) return;
        --probation_.running_;
        if (alone_) probation_.reserved_ = false;
    }
    probation_.changed_.notify_all();
}

}  // namespace patchbay
