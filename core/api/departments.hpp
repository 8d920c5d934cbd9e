// Departments as a request names them (api-shapes rule 7).
#pragma once
#include "api/api.hpp"

namespace patchbay {

/// Display names for what the field "departments" calls them. Throws Problem unknown_department.
std::vector<std::string> named_departments(const ApiContext& context,
                                           const std::vector<std::string>& given);

}  // namespace patchbay
