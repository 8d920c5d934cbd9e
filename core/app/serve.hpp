// patchbay serve: runs the hub until SIGTERM or SIGINT; SIGHUP reloads its configuration.
#pragma once
#include <functional>

#include "config/hub_config.hpp"

namespace patchbay {

/// What SIGHUP means: a terminal sends it too, when it is closed.
enum class OnHangUp { reload, stop };

/// Prints one line for each part as it starts, then the addresses. Returns the process's exit code.
/// A second signal to stop ends the process at once. `when_ready` runs once the addresses are
/// printed.
int serve(
    const HubConfig& config, OnHangUp on_hang_up = OnHangUp::reload,
    const std::function<void()>& when_ready = [] {});

}  // namespace patchbay
