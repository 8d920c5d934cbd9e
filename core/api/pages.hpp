// Pages for people, with the headers that each has (S6C).
#pragma once
#include "api/api.hpp"

namespace patchbay {

/// Scripts and styles only from files of the hub's own: nothing inline, no frame around it.
Response page(std::string body, const char* type, bool secure);

/// Of a file by its name.
const char* type_of(std::string_view name);

/// HTTPS as the browser sees it: ours, or that of the proxy in front.
bool is_secure(const ExchangePtr& exchange, const ApiContext& context);

}  // namespace patchbay
