#include "identity/access.hpp"

#include "identity/users.hpp"

namespace patchbay {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

Caller caller_from(const User& user) {
    Caller caller;
    caller.kind = "user";
    caller.id = user.id;
    caller.number = user.number;
    caller.email = user.email;
    caller.name = user.name;
    caller.role = user.role;
    caller.departments = user.departments;
    return caller;
}

Problem unauthenticated() {
    return Problem("unauthenticated", "Sign in first: Authorization: Bearer <token>.");
}

Problem token_expired() {
    return Problem("token_expired", "The token has expired; sign in again.");
}

void require_role(const Caller& caller, const std::vector<std::string>& roles) {
    if (contains(roles, "public") || caller.kind == "local") return;
    if (!caller.signed_in()) throw unauthenticated();
    if (roles.empty() || contains(roles, caller.role)) return;
    bool for_api = false;
    for (const auto& role : roles) {
        if (!role.starts_with("api:")) continue;
        for_api = true;
        if (caller.role == "api" && caller.scopes.contains(role.substr(4))) return;
    }
    if (for_api && caller.role == "api") {
        throw Problem("scope_missing", "The key lacks the scope for this.");
    }
    throw Problem("forbidden", "Your role may not do this.");
}

bool Sight::covers(const std::optional<std::string>& department, const std::string& kind,
                   const std::optional<std::string>& assigned_to) const {
    if (all) return true;
    if (assignee) return assigned_to == assignee;
    if (!department) {
        return kind == "demo" ? contains(departments, "Management") : without_department;
    }
    return contains(departments, *department);
}

Sight sight_of(const Caller& caller) {
    Sight sight;
    if (caller.role == "owner" || caller.role == "admin" || caller.kind == "local") {
        sight.all = true;
    } else if (caller.role == "api" && caller.departments.empty()) {
        sight.all = true;
    } else if (caller.role == "expert") {
        sight.assignee = caller.id;
    } else {
        sight.departments = caller.departments;
        sight.without_department = true;
    }
    return sight;
}

}  // namespace patchbay
