// identity/1: the hub's users, for plugins with a product of their own.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "identity/identity.hpp"
#include "plugins/host_services.hpp"

namespace patchbay {

/// `departments` are the configured ones, as they are now. A plugin makes and changes nobody who is
/// an owner, signs in under the limits of the hub's own login (S60, S61), and is in the audit trail
/// as what it is.
void register_identity_service(HostServices& services, Identity& identity,
                               std::function<std::vector<std::string>()> departments);

}  // namespace patchbay
