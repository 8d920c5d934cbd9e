// The `plugins:` block: what the hub itself knows of each instance. The plugin's own block is only
// flattened here.
#pragma once
#include <vector>

#include "config/hub_config.hpp"
#include "config/section.hpp"

namespace patchbay {

std::vector<InstanceConfig> read_instances(Section plugins, ConfigContext& context);

}  // namespace patchbay
