// What a caller may do and see.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "http/exchange.hpp"
#include "http/problem.hpp"

namespace patchbay {

struct User;

/// Without a credential.
Caller caller_from(const User& user);

/// 401 with WWW-Authenticate: Bearer. One text for every reason.
Problem unauthenticated();
Problem token_expired();

/// Throws Problem unauthenticated (401), forbidden or scope_missing (403) unless `roles`
/// (RouteSpec::roles) admit the caller: role names, "api:<scope>", "public", "local" (the command
/// line on this machine). An empty list admits everybody who signed in. The local operator may do
/// everything.
void require_role(const Caller& caller, const std::vector<std::string>& roles);

/// Which conversations a caller may see, for the condition in SQL (S69).
struct Sight {
    bool all = false;                      ///< No condition.
    std::vector<std::string> departments;  ///< Those with one of these departments ...
    bool without_department =
        false;  ///< ... and those with none, except kind demo, which is Management's ...
    std::optional<std::string> assignee;  ///< ... or only those assigned to this user.
    /// The same for one row that was read by its id.
    bool covers(const std::optional<std::string>& department, const std::string& kind,
                const std::optional<std::string>& assigned_to) const;
};
Sight sight_of(const Caller& caller);

}  // namespace patchbay
