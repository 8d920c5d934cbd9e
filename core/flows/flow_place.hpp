// Where a conversation stands in its flow, and where a step takes it.
#pragma once
#include <string>

#include "plugins/plugin_host.hpp"

namespace patchbay {

inline constexpr std::chrono::seconds flow_step_deadline{2};

struct FlowPlace {
    std::string step;  ///< Empty: the flow's first.
    std::string data;  ///< JSON; empty: none yet.
};

/// The step to run. Throws Error(unsupported) for a flow that has none.
std::string step_to_run(PluginLease& flow, const FlowPlace& place);

/// A result that names no next step and keeps no state ends the flow.
bool ends_flow(const StepResult& result);

/// The place after a step that did not end the flow.
FlowPlace place_after(const FlowPlace& place, const StepResult& result);

}  // namespace patchbay
