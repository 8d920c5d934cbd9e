// The lease over a generation: typed calls to encoded ones.
#pragma once
#include <memory>

#include "plugins/generation.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

/// nullptr once the generation is being drained.
PluginLeasePtr lease_of(std::shared_ptr<Generation> generation);

}  // namespace patchbay
