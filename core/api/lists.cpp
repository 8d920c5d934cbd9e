#include "api/lists.hpp"

#include <charconv>
#include <patchbay/sdk.hpp>

#include "base/time_text.hpp"
#include "http/problem.hpp"

namespace patchbay {
namespace {

Problem bad_parameter(const std::string& key, const std::string& detail) {
    Problem problem("invalid_field", key + " " + detail + ".",
                    {{"?" + key, "invalid_field", detail}});
    problem.status_is(400);
    return problem;
}

std::optional<int64_t> whole_number(std::string_view text) {
    int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return number;
}

/// list:number:text
Cursor parse_cursor(const std::string& list, const std::string& text) {
    const auto plain = from_base64url(text);
    const std::string head = list + ":";
    if (plain && plain->starts_with(head)) {
        const size_t colon = plain->find(':', head.size());
        if (colon != std::string::npos) {
            const auto number =
                whole_number(std::string_view(*plain).substr(head.size(), colon - head.size()));
            if (number && is_utf8(*plain)) return {*number, plain->substr(colon + 1)};
        }
    }
    throw Problem("invalid_cursor", "Take cursor from \"next\" of the page before.",
                  {{"?cursor", "invalid_cursor", "is not one of this list"}});
}

size_t parse_limit(const std::string& text) {
    const auto limit = whole_number(text);
    if (limit && *limit >= 1 && *limit <= static_cast<int64_t>(ListRequest::most)) {
        return static_cast<size_t>(*limit);
    }
    throw bad_parameter("limit", "must be a number from 1 to 200");
}

}  // namespace

std::vector<QueryKey> list_query(std::vector<QueryKey> filters) {
    filters.push_back({"limit", "Limit"});
    filters.push_back({"cursor", "Cursor"});
    return filters;
}

std::vector<RouteAnswer> page_of(const std::string& schema) {
    return {{.schema = schema, .page = true}};
}

ListRequest::ListRequest(const HttpRequest& request, std::string list)
    : query_(Query::parse(request.query)), list_(std::move(list)) {
    if (const auto limit = query_.find("limit")) limit_ = parse_limit(*limit);
    if (const auto cursor = query_.find("cursor")) start_ = parse_cursor(list_, *cursor);
    if (const auto since = query_.find("since")) {
        const auto at = parse_rfc3339(*since);
        if (!at) throw bad_parameter("since", "must be a time such as 2026-11-20T10:15:30Z");
        since_ = *at;
    }
}

std::optional<std::string> ListRequest::filter(std::string_view key) const {
    auto value = query_.find(key);
    if (value && value->empty()) return std::nullopt;
    return value;
}

bool ListRequest::admits(std::string_view key, std::string_view value) const {
    const auto wanted = filter(key);
    return !wanted || *wanted == value;
}

std::string ListRequest::cursor_text(const Cursor& cursor) const {
    return to_base64url(list_ + ":" + std::to_string(cursor.number) + ":" + cursor.text);
}

}  // namespace patchbay
