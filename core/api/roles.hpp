// Who may call what (api-shapes section 12), in the words of RouteSpec::roles.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

namespace patchbay::roles {

using Roles = std::vector<std::string>;

inline const Roles everyone = {"public"};
inline const Roles signed_in = {};
inline const Roles people = {"owner", "admin", "expert", "agent", "viewer"};
inline const Roles on_this_machine = {"local"};
inline const Roles admins = {"owner", "admin"};
inline const Roles message_readers = {"owner", "admin",  "expert",
                                      "agent", "viewer", "api:messages:read"};
inline const Roles message_writers = {"owner", "admin", "expert", "agent", "api:messages:send"};
inline const Roles bulk_senders = {"owner", "admin", "agent", "api:messages:bulk"};
inline const Roles contact_writers = {"owner", "admin", "agent", "api:contacts:write"};
inline const Roles config_readers = {"owner", "admin",  "expert",
                                     "agent", "viewer", "api:config:read"};
inline const Roles operators = {"owner", "admin", "api:config:read"};
inline const Roles delivery_readers = {"owner", "admin", "agent", "viewer", "api:deliveries:read"};
inline const Roles delivery_writers = {"owner", "admin", "agent", "api:ops"};
inline const Roles metrics_readers = {"owner", "admin", "api:metrics:read"};
inline const Roles switchers = {"owner", "admin", "api:ops"};

/// Of a plugin's route: `public`, `signed_in` (the same as nothing) or role names, as
/// ApiRoute::callers has them. With a scope, API keys need it.
inline Roles of_plugin(const Roles& callers, const std::string& scope) {
    const auto has = [&](const char* word) {
        return std::find(callers.begin(), callers.end(), word) != callers.end();
    };
    if (has("public")) return everyone;
    Roles roles = callers.empty() || has("signed_in") ? signed_in : callers;
    if (scope.empty()) return roles;
    if (roles.empty()) roles = people;
    roles.push_back("api:" + scope);
    return roles;
}

}  // namespace patchbay::roles
