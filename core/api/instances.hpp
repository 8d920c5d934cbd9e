// The configured instances as the API shows them, with or without a running plugin host.
#pragma once
#include <string>
#include <vector>

#include "api/api.hpp"
#include "base/json.hpp"

namespace patchbay {

struct InstanceView {
    InstanceInfo info;
    std::string state;  ///< word(info.state), or not_running when no server runs.
};

/// In the order of the configuration.
std::vector<InstanceView> list_instances(const ApiContext& context);
/// As GET /api/v1/plugins/{instance} answers it. Throws Problem unknown_id.
JsonObject require_instance(const ApiContext& context, const std::string& name);
bool provides(const InstanceInfo& info, std::string_view interface_id);

}  // namespace patchbay
