// webhook/1 for plugins: the addresses to register at a provider.
#pragma once
#include "inbound/hooks.hpp"
#include "plugins/host_services.hpp"

namespace patchbay {

void register_webhook_service(HostServices& services, const Hooks& hooks);

}  // namespace patchbay
