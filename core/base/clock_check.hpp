// Whether the wall clock is right, by what others say it is: webhooks with a time in their
// signature are refused where it is not (S47).
#pragma once
#include <array>
#include <chrono>
#include <mutex>
#include <optional>

#include "base/clock.hpp"

namespace patchbay {

/// [any thread]
class ClockCheck {
public:
    /// What another's clock said, and ours at that moment. True when this changed whether ours is
    /// believed to be right.
    bool heard(TimeMs theirs, TimeMs ours);
    /// Ours minus theirs, where the last three that were heard all say that ours is more than 30 s
    /// off, and in the same direction: one provider may be wrong itself.
    std::optional<std::chrono::seconds> off_by() const;

private:
    static constexpr std::chrono::milliseconds allowed{30'000};
    mutable std::mutex mutex_;
    std::array<TimeMs, 3> last_{};  // Ours minus theirs.
    size_t next_ = 0;
    bool was_off_ = false;
};

}  // namespace patchbay
