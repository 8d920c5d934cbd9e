// Departments as people and clients write them (api-shapes rule 7).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

/// "Room Service" -> "room-service", "Café" -> "cafe".
std::string department_slug(std::string_view name);

/// The display name for a slug or a display name in any case; nullopt when it is none of `known`.
std::optional<std::string> find_department(const std::vector<std::string>& known,
                                           std::string_view text);

}  // namespace patchbay
