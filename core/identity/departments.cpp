#include "identity/departments.hpp"

#include <patchbay/text.hpp>

namespace patchbay {
namespace {

/// Base letters of U+00C0..U+00FF, the second byte counted from 0x80.
constexpr std::string_view latin_letters =
    "aaaaaaaceeeeiiiidnooooo-ouuuuypsaaaaaaaceeeeiiiidnooooo-ouuuuypy";

}  // namespace

std::string department_slug(std::string_view name) {
    std::string slug;
    for (size_t i = 0; i < name.size(); ++i) {
        const auto next = i + 1 < name.size() ? static_cast<unsigned char>(name[i + 1]) : 0u;
        if (name[i] == '\xC3' && next >= 0x80 && next <= 0xBF) {
            slug += latin_letters[next - 0x80];
            ++i;
        } else if (is_blank(name[i]) || name[i] == '_') {
            slug += '-';
        } else {
            slug += ascii_lower(name[i]);
        }
    }
    return slug;
}

std::optional<std::string> find_department(const std::vector<std::string>& known,
                                           std::string_view text) {
    const std::string slug = department_slug(trim(text));
    for (const auto& name : known) {
        if (department_slug(name) == slug) return name;
    }
    return std::nullopt;
}

}  // namespace patchbay
