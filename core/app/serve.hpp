// patchbay serve: runs the hub until SIGTERM or SIGINT.
#pragma once
#include <functional>

#include "config/hub_config.hpp"

namespace patchbay {

/// Prints one line for each part as it starts, then the addresses. Returns the process's exit code.
/// A second signal ends the process at once. `when_ready` runs once the addresses are printed.
int serve(
    const HubConfig& config, const std::function<void()>& when_ready = [] {});

}  // namespace patchbay
