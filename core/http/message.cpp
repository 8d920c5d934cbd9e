#include "http/message.hpp"

namespace patchbay {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    return true;
}

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
    const HttpHeader* found = nullptr;
    for (const HttpHeader& header : headers) {
        if (!equal_ignoring_case(header.name, name)) continue;
        if (found) return std::nullopt;
        found = &header;
    }
    if (!found) return std::nullopt;
    return found->value;
}

size_t HttpRequest::count(std::string_view name) const {
    size_t found = 0;
    for (const HttpHeader& header : headers) found += equal_ignoring_case(header.name, name);
    return found;
}

std::string HttpRequest::content_type() const {
    const auto value = header("Content-Type");
    if (!value) return {};
    return ascii_lower(trim(value->substr(0, value->find(';'))));
}

}  // namespace patchbay
