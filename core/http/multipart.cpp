#include "http/multipart.hpp"

#include <algorithm>

#include "http/problem.hpp"

namespace patchbay {
namespace {

constexpr std::string_view line_end = "\r\n", head_end = "\r\n\r\n";

[[noreturn]] void refuse(const std::string& why) {
    throw Problem("invalid_form", "The multipart body " + why + ".");
}

// What stands behind the first word of Content-Type and Content-Disposition. A name that repeats
// is refused: two readers could choose differently.
struct Parameters {
    std::vector<std::pair<std::string, std::string>> all{};

    const std::string* find(std::string_view name) const {
        for (const auto& [key, value] : all)
            if (key == name) return &value;
        return nullptr;
    }
};

// A backslash counts only before a quote or another one: browsers send paths and quotes as they
// are or as %22, other clients escape.
std::optional<std::string> take_quoted(std::string_view& text) {
    std::string value;
    for (size_t i = 1; i < text.size(); ++i) {
        const bool escapes =
            text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return value;
        }
        if (escapes) ++i;
        value += text[i];
    }
    return std::nullopt;
}

std::optional<std::string> take_value(std::string_view& text) {
    if (text.starts_with('"')) return take_quoted(text);
    const std::string_view value = text.substr(0, text.find_first_of("; \t"));
    text.remove_prefix(value.size());
    if (!is_token(value)) return std::nullopt;
    return std::string(value);
}

// *( ";" name "=" ( token / quoted ) ); nullopt for anything else.
std::optional<Parameters> parse_parameters(std::string_view text) {
    Parameters parameters;
    while (!(text = without_blanks(text)).empty()) {
        if (text.front() != ';') return std::nullopt;
        text = without_blanks(text.substr(1));
        const size_t equals = text.find('=');
        if (equals == std::string_view::npos || !is_token(text.substr(0, equals)))
            return std::nullopt;
        std::string name = ascii_lower(text.substr(0, equals));
        text.remove_prefix(equals + 1);
        auto value = take_value(text);
        if (!value || parameters.find(name)) return std::nullopt;
        parameters.all.emplace_back(std::move(name), std::move(*value));
    }
    return parameters;
}

struct Value {
    std::string word;  // In lower case.
    Parameters parameters;
};

std::optional<Value> parse_value(std::string_view text) {
    const size_t end = std::min(text.find(';'), text.size());
    auto parameters = parse_parameters(text.substr(end));
    if (!parameters) return std::nullopt;
    return Value{ascii_lower(without_blanks(text.substr(0, end))), std::move(*parameters)};
}

bool is_boundary(std::string_view text) {
    for (const char c : text)
        if (!is_alphanumeric(c) && std::string_view("'()+_,-./:=? ").find(c) == std::string::npos)
            return false;
    return !text.empty() && text.size() <= Multipart::max_boundary && text.back() != ' ';
}

std::string boundary_of(std::string_view content_type) {
    const auto type = parse_value(content_type);
    if (ascii_lower(without_blanks(content_type.substr(0, content_type.find(';')))) !=
        "multipart/form-data")
        throw Problem("unsupported_media_type", "The body must be multipart/form-data.");
    if (!type) refuse("has a Content-Type that is not well-formed");
    const std::string* boundary = type->parameters.find("boundary");
    if (!boundary || !is_boundary(*boundary)) refuse("needs a boundary of 1 to 70 bytes");
    return *boundary;
}

void read_disposition(std::string_view text, MultipartPart& part) {
    const auto value = parse_value(text);
    const std::string* name = value ? value->parameters.find("name") : nullptr;
    if (!name || value->word != "form-data") refuse("has a part without a name");
    // RFC 7578 forbids filename*: beside a filename the two could disagree.
    for (const auto& [key, unused] : value->parameters.all)
        if (key.ends_with('*')) refuse("has a part with an encoded name");
    const std::string* filename = value->parameters.find("filename");
    if (!is_utf8(*name) || (filename && !is_utf8(*filename)))
        refuse("has a name that is not UTF-8");
    part.name = *name;
    if (filename) part.filename = *filename;
}

void read_type(std::string_view text, MultipartPart& part) {
    const auto value = parse_value(text);
    const size_t slash = value ? value->word.find('/') : std::string::npos;
    if (slash == std::string::npos || !is_token(value->word.substr(0, slash)) ||
        !is_token(value->word.substr(slash + 1)))
        refuse("has a part whose Content-Type is not well-formed");
    if (value->word.starts_with("multipart/")) refuse("has parts inside a part");
    part.content_type = value->word;
}

// Each line is checked whole; of the headers two count.
void read_head(std::string_view head, MultipartPart& part) {
    unsigned dispositions = 0, types = 0;
    while (!head.empty()) {
        const std::string_view line = head.substr(0, head.find(line_end));
        head.remove_prefix(std::min(line.size() + line_end.size(), head.size()));
        const size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
            !is_field_value(line.substr(colon + 1)))
            refuse("has a part header that is not well-formed");
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = without_blanks(line.substr(colon + 1));
        if (equal_ignoring_case(name, "Content-Disposition") && ++dispositions == 1)
            read_disposition(value, part);
        if (equal_ignoring_case(name, "Content-Type") && ++types == 1) read_type(value, part);
        const bool encoded = equal_ignoring_case(name, "Content-Transfer-Encoding") &&
                             !equal_ignoring_case(value, "binary");
        if (encoded) refuse("has a part with a transfer encoding");
    }
    if (dispositions != 1 || types > 1) refuse("has a part with no or two of the same header");
}

MultipartPart take_part(std::string_view& rest, std::string_view delimiter) {
    MultipartPart part;
    const size_t end = rest.substr(0, Multipart::max_part_headers + head_end.size()).find(head_end);
    if (end == std::string_view::npos)
        refuse(rest.size() > Multipart::max_part_headers ? "has part headers above 4 KiB"
                                                         : "ends inside a part");
    read_head(rest.substr(0, end), part);
    // The line end behind the headers may also be the one before the next boundary.
    rest.remove_prefix(end + line_end.size());
    const size_t close = rest.find(delimiter);
    if (close == std::string_view::npos) refuse("ends inside a part");
    if (close > 0) part.body = rest.substr(line_end.size(), close - line_end.size());
    rest.remove_prefix(close + delimiter.size());
    return part;
}

}  // namespace

Multipart Multipart::parse(std::string_view content_type, std::string_view body) {
    const std::string delimiter = "\r\n--" + boundary_of(content_type);
    Multipart form;
    if (!body.starts_with(std::string_view(delimiter).substr(line_end.size())))
        refuse("does not begin with its boundary");
    body.remove_prefix(delimiter.size() - line_end.size());
    while (body.starts_with(line_end)) {
        body.remove_prefix(line_end.size());
        if (form.parts_.size() == max_parts) refuse("has more than 20 parts");
        form.parts_.push_back(take_part(body, delimiter));
    }
    if (body != "--" && body != "--\r\n") refuse("does not end with its boundary");
    return form;
}

Multipart Multipart::parse(const HttpRequest& request) {
    return parse(request.header("Content-Type").value_or(""), request.body);
}

const MultipartPart* Multipart::find(std::string_view name) const {
    const MultipartPart* found = nullptr;
    for (const MultipartPart& part : parts_) {
        if (part.name != name) continue;
        if (found)
            throw Problem("duplicate_parameter", "A field of the form is given twice.",
                          {{"/" + std::string(name), "duplicate_parameter", "is given twice"}});
        found = &part;
    }
    return found;
}

}  // namespace patchbay
