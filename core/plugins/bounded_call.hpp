// Calls of a plugin's life, which the control thread waits for: there is one at a time, and no
// caller who could be answered in its place.
#pragma once
#include <chrono>
#include <functional>

namespace patchbay {

/// Runs `work`, which throws nothing, on a thread of its own. False: it was not back in time, and
/// its thread is left behind, so it owns all that it uses.
bool ends_within(std::chrono::milliseconds allowed, std::function<void()> work);

}  // namespace patchbay
