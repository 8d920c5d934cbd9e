// The lease over a generation: typed calls to encoded ones.
#pragma once
#include <memory>

#include "plugins/generation.hpp"
#include "plugins/lost_threads.hpp"
#include "plugins/plugin_host.hpp"
#include "plugins/watchdog.hpp"

namespace patchbay {

/// What stands around every call through a lease.
struct Containment {
    std::shared_ptr<Watchdog> watchdog;
    std::shared_ptr<LostThreads> lost;  ///< Of the instance.
};

/// nullptr once the generation is being drained.
PluginLeasePtr lease_of(std::shared_ptr<Generation> generation, Containment containment);

}  // namespace patchbay
