#include "http/message.hpp"

#include <array>

namespace patchbay {
namespace {

constexpr std::array<bool, 256> token_table = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view(
             "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
        table[static_cast<uint8_t>(c)] = true;
    return table;
}();

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    return true;
}

bool is_token(std::string_view text) {
    for (const char c : text)
        if (!token_table[static_cast<uint8_t>(c)]) return false;
    return !text.empty();
}

bool is_field_value(std::string_view value) {
    for (const char c : value) {
        const auto byte = static_cast<uint8_t>(c);
        if ((byte < ' ' && byte != '\t') || byte == 0x7F) return false;
    }
    return true;
}

std::string_view without_blanks(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
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
