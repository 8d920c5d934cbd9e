// How long a call into a plugin may take.
#pragma once
#include <chrono>
#include <cstdint>

namespace patchbay {

/// Of the call with this number (patchbay/detail/methods.hpp), whoever makes it and wherever the
/// plugin runs. After it the host answers `timed_out` in the plugin's place. A caller that has less
/// time says so in Call::left. [any thread]
std::chrono::milliseconds deadline_of(uint32_t method);

/// Of describe() and check_config(), which run before there is an instance.
inline constexpr std::chrono::milliseconds check_deadline{1'000};
/// Of create() and destroy().
inline constexpr std::chrono::milliseconds life_deadline{10'000};

}  // namespace patchbay
