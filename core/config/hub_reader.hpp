// The hub's own keys of the configuration.
#pragma once
#include "config/hub_config.hpp"
#include "config/section.hpp"

namespace patchbay {

/// Fills `config` from the whole of the file, instances included.
void read_hub(const YamlNode& root, ConfigContext& context, HubConfig& config);

}  // namespace patchbay
