#include "base/clock_check.hpp"

#include <algorithm>
#include <utility>

namespace patchbay {
namespace {

// Of the three the one that is nearest to right.
template <class List>
std::optional<TimeMs> agreed(const List& differences, TimeMs allowed) {
    const auto [low, high] = std::minmax_element(differences.begin(), differences.end());
    if (*low > allowed) return *low;
    if (*high < -allowed) return *high;
    return std::nullopt;
}

}  // namespace

bool ClockCheck::heard(TimeMs theirs, TimeMs ours) {
    const std::lock_guard lock{mutex_};
    last_[next_] = ours - theirs;
    next_ = (next_ + 1) % last_.size();
    const bool is_off = agreed(last_, allowed.count()).has_value();
    return std::exchange(was_off_, is_off) != is_off;
}

std::optional<std::chrono::seconds> ClockCheck::off_by() const {
    const std::lock_guard lock{mutex_};
    const auto difference = agreed(last_, allowed.count());
    if (!difference) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::milliseconds{*difference});
}

}  // namespace patchbay
