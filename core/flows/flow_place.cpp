#include "flows/flow_place.hpp"

namespace patchbay {

std::string step_to_run(PluginLease& flow, const FlowPlace& place) {
    if (!place.step.empty()) return place.step;
    const std::vector<StepInfo> steps = flow.steps();
    if (steps.empty()) throw Error(ErrorKind::unsupported, "the flow plugin has no steps");
    return steps.front().name;
}

bool ends_flow(const StepResult& result) { return result.next.empty() && result.state.empty(); }

FlowPlace place_after(const FlowPlace& place, const StepResult& result) {
    return {result.next.empty() ? place.step : result.next,
            result.state.empty() ? std::string{"{}"} : result.state};
}

}  // namespace patchbay
