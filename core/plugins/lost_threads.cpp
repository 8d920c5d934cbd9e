#include "plugins/lost_threads.hpp"

#include <algorithm>

namespace patchbay {

void LostThreads::lost(int64_t generation, std::string_view call, SteadyTime now) {
    const std::lock_guard lock{mutex_};
    ++hanging_;
    if (generation < generation_) return;  // One that is replaced already.
    if (generation > generation_) {
        generation_ = generation;
        count_ = 0;
    }
    last_[count_++ % too_many] = now;
    if (count_ < too_many) return;
    const SteadyTime oldest = *std::min_element(last_.begin(), last_.end());
    if (now - oldest > window) return;
    count_ = 0;
    if (!told_) return;
    told_(generation, std::to_string(too_many) +
                          " calls into the plugin did not come back, the last was " +
                          std::string{call} +
                          ": it is off until it is enabled or reloaded; the threads are free again "
                          "when the server restarts");
}

void LostThreads::back() {
    const std::lock_guard lock{mutex_};
    --hanging_;
}

void LostThreads::forget_listener() {
    const std::lock_guard lock{mutex_};
    told_ = {};
}

int64_t LostThreads::hanging() const {
    const std::lock_guard lock{mutex_};
    return hanging_;
}

}  // namespace patchbay
