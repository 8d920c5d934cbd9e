// A flow tried out on messages that nobody sent: nothing is stored, nothing is sent.
#pragma once
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

struct DryStep {
    std::string step;  ///< The one that ran.
    StepResult result;
};

struct DryRun {
    std::vector<DryStep> steps;
    std::string state;  ///< JSON: what the flow would keep after the last message.
};

/// One step for each message, in order, on a conversation that is not there. `stay` reaches the
/// flow as member `stay` of each event's extra. 10 s for all steps together. Throws what the flow
/// throws.
DryRun dry_run(PluginLease& flow, const std::vector<std::string>& messages, const std::string& stay,
               TimeMs now);

}  // namespace patchbay
