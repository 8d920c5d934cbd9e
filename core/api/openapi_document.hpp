// The description of the HTTP API, made from the route table: /api/v1/openapi.json.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "http/exchange.hpp"

namespace patchbay {

/// The schemas of core/api/schemas/*.json by their names, sorted. [any thread]
JsonObject component_schemas();

/// OpenAPI 3.1. Routes without RouteSpec::answers are left out. [any thread]
JsonObject openapi_document(const std::vector<RouteSpec>& routes);

/// What a request to the route can be refused with, by status: of the route's own, what follows
/// from its body, query and roles, and what every path has. [any thread]
std::map<int, std::set<std::string>> problems_of(const RouteSpec& route);

}  // namespace patchbay
