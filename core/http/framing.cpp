#include "http/framing.hpp"

namespace patchbay {
namespace {

using Step = RequestParser::Step;

constexpr Refusal bad_request_line{400, "request_line", "invalid_header",
                                   "The request line is not well-formed."};
constexpr Refusal bad_target{400, "path", "invalid_path", "The path is not well-formed."};
constexpr Refusal target_too_long{414, "target_too_long", "target_too_long",
                                  "The request line is too long."};
constexpr Refusal bad_version{505, "version", "unsupported_version",
                              "This server speaks HTTP/1.1."};
constexpr Refusal bad_field{400, "header", "invalid_header", "A header line is not well-formed."};
constexpr Refusal headers_too_large{431, "headers_too_large", "headers_too_large",
                                    "The headers are too large or too many."};
constexpr Refusal bad_host{400, "host", "invalid_header", "One Host header is required."};
constexpr Refusal bad_connection{400, "connection", "invalid_header",
                                 "The Connection header is not well-formed."};
constexpr Refusal bad_expectation{417, "expect", "invalid_header",
                                  "Only 100-continue can be expected."};
constexpr Refusal bad_length{400, "content_length", "invalid_header",
                             "The Content-Length header is not well-formed."};
constexpr Refusal two_lengths{400, "length_conflict", "invalid_header",
                              "The length of the body is given twice."};
constexpr Refusal bad_encoding{501, "transfer_encoding", "unsupported_encoding",
                               "The only transfer encoding is chunked."};
constexpr Refusal bad_chunk{400, "chunk", "invalid_header", "The chunked body is not well-formed."};
constexpr Refusal bad_trailer{400, "trailer", "invalid_header", "The trailer is not well-formed."};
constexpr Refusal body_too_large{413, "body_too_large", "body_too_large",
                                 "The body is larger than this path takes."};

// Room for the method and the version beside the target.
constexpr size_t request_line_spare = 64;
constexpr size_t max_chunk_digits =
    16;  // More are not even a number; more than 8 are never a size.
constexpr size_t plain_chunk_digits = 8;
constexpr size_t max_length_digits = 18;
constexpr size_t first_body_reserve =
    64 << 10;  // A declared length is a promise, not yet a reason for memory.

bool is_digits(std::string_view text) {
    for (const char c : text)
        if (c < '0' || c > '9') return false;
    return !text.empty();
}

// Visible ASCII and the spaces between the three parts.
bool has_odd_byte(std::string_view line) {
    for (const char c : line)
        if (c < ' ' || c > '~') return true;
    return false;
}

// name[:port], an IPv4 address, or an IPv6 address in brackets.
bool is_host(std::string_view text) {
    for (const char c : text)
        if (!is_alphanumeric(c) &&
            std::string_view("-._~:[]%!$&'()*+,;=").find(c) == std::string_view::npos)
            return false;
    return !text.empty();
}

// *( ";" token [ "=" ( token / quoted-string ) ] ) without blanks around the signs.
bool is_chunk_extension(std::string_view text) {
    while (!text.empty()) {
        if (text.front() != ';') return false;
        text.remove_prefix(1);
        const size_t name = std::min(text.find_first_of(";="), text.size());
        if (!is_token(text.substr(0, name))) return false;
        text.remove_prefix(name);
        if (text.empty() || text.front() == ';') continue;
        text.remove_prefix(1);
        if (text.starts_with('"')) {
            size_t end = 1;
            while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
            if (end >= text.size() || !is_field_value(text.substr(1, end - 1))) return false;
            text.remove_prefix(end + 1);
        } else {
            const size_t value = std::min(text.find(';'), text.size());
            if (!is_token(text.substr(0, value))) return false;
            text.remove_prefix(value);
        }
    }
    return true;
}

// These say how the message is cut or routed: too late in a trailer.
bool is_framing_field(std::string_view name) {
    for (const std::string_view other :
         {"Content-Length", "Transfer-Encoding", "Host", "Connection", "Trailer", "Expect",
          "Content-Type", "Content-Encoding", "Authorization", "Cookie"})
        if (equal_ignoring_case(name, other)) return true;
    return false;
}

}  // namespace

std::optional<std::string> decode_path(std::string_view raw) {
    if (!raw.starts_with('/')) return std::nullopt;
    auto path = raw.find('%') == std::string_view::npos ? std::optional(std::string(raw))
                                                        : percent_decode(raw);
    if (!path) return std::nullopt;
    size_t segment = 1;
    for (size_t i = 1; i <= path->size(); ++i) {
        if (i < path->size() && (*path)[i] != '/') {
            const auto byte = static_cast<uint8_t>((*path)[i]);
            if (byte < ' ' || byte == 0x7F || byte == '\\') return std::nullopt;
            continue;
        }
        const std::string_view name = std::string_view(*path).substr(segment, i - segment);
        if (name == "." || name == ".." || (name.empty() && i < path->size())) return std::nullopt;
        segment = i + 1;
    }
    if (!is_utf8(*path)) return std::nullopt;
    return path;
}

void RequestParser::reset() { *this = RequestParser(limits_); }

Step RequestParser::next(std::string_view& bytes) {
    Step step = Step::need_more;
    do {
        step = advance(bytes);
    } while (step == Step::need_more && !bytes.empty());
    return step;
}

Step RequestParser::advance(std::string_view& bytes) {
    if (!bytes.empty()) started_ = true;
    switch (state_) {
        case State::request_line:
            return take_request_line(bytes);
        case State::fields:
            return take_field(bytes);
        case State::head_done:
            return begin_body();
        case State::fixed:
            return take_fixed(bytes);
        case State::chunk_size:
            return take_chunk_size(bytes);
        case State::chunk_data:
            return take_chunk_data(bytes);
        case State::chunk_end:
            return take_chunk_end(bytes);
        case State::trailer:
            return take_trailer(bytes);
        case State::done:
            return Step::complete;
        case State::refused:
            break;
    }
    return Step::refused;
}

Step RequestParser::refuse(const Refusal& refusal) {
    state_ = State::refused;
    refusal_ = refusal;
    return Step::refused;
}

// Looks at limit + 2 bytes of a line at most, whatever pieces they come in: so the verdict is the
// same for all cuts.
RequestParser::Line RequestParser::take_line(std::string_view& bytes, size_t limit,
                                             std::string_view& line) {
    if (bytes.empty()) return Line::missing;
    if (partial_.ends_with('\r') && bytes.front() == '\n') {
        partial_.pop_back();
        bytes.remove_prefix(1);
        joined_.swap(partial_);
        partial_.clear();
        line = joined_;
        return Line::found;
    }
    const size_t room = limit + 2 - partial_.size();
    const std::string_view window = bytes.substr(0, room);
    const size_t end = window.find("\r\n");
    if (end == std::string_view::npos) {
        partial_.append(window);
        bytes.remove_prefix(window.size());
        return window.size() == room ? Line::too_long : Line::missing;
    }
    line = window.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (partial_.empty()) return Line::found;
    partial_.append(line);
    joined_.swap(partial_);
    partial_.clear();
    line = joined_;
    return Line::found;
}

Step RequestParser::take_request_line(std::string_view& bytes) {
    std::string_view line;
    const Line found = take_line(bytes, limits_.target + request_line_spare, line);
    if (found != Line::found) {
        // A bare LF here would otherwise wait for a line end that never comes. The last CR may
        // still be one.
        std::string_view seen = partial_;
        if (seen.ends_with('\r')) seen.remove_suffix(1);
        if (has_odd_byte(seen)) return refuse(bad_request_line);
        return found == Line::missing ? Step::need_more : refuse(target_too_long);
    }
    if (const Refusal* refusal = parse_request_line(line)) return refuse(*refusal);
    request_.headers.reserve(12);
    state_ = State::fields;
    return Step::need_more;
}

const Refusal* RequestParser::parse_request_line(std::string_view line) {
    if (has_odd_byte(line)) return &bad_request_line;
    const size_t first = line.find(' ');
    if (first == std::string_view::npos || !is_token(line.substr(0, first)))
        return &bad_request_line;
    const size_t second = line.find(' ', first + 1);
    if (second == std::string_view::npos || second == first + 1) return &bad_request_line;
    const std::string_view target = line.substr(first + 1, second - first - 1),
                           version = line.substr(second + 1);
    if (target.size() > limits_.target) return &target_too_long;
    http_1_0_ = version == "HTTP/1.0";
    if (version != "HTTP/1.1" && !http_1_0_) return &bad_version;

    request_.method = line.substr(0, first);
    request_.target = target;
    const size_t question = target.find('?');
    auto path = decode_path(target.substr(0, question));
    if (!path || target.find('#') != std::string_view::npos) return &bad_target;
    request_.path = std::move(*path);
    if (question != std::string_view::npos) request_.query = target.substr(question + 1);
    return nullptr;
}

Step RequestParser::take_field(std::string_view& bytes) {
    std::string_view line;
    switch (take_line(bytes, limits_.line, line)) {
        case Line::missing:
            return Step::need_more;
        case Line::too_long:
            return refuse(headers_too_large);
        case Line::found:
            break;
    }
    block_ += line.size() + 2;
    if (block_ > limits_.block) return refuse(headers_too_large);
    const Refusal* refusal = line.empty() ? finish_head() : parse_field(line);
    if (refusal) return refuse(*refusal);
    if (!line.empty()) return Step::need_more;
    state_ = State::head_done;
    return Step::head;
}

const Refusal* RequestParser::parse_field(std::string_view line) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return &bad_field;
    const std::string_view value = line.substr(colon + 1);
    if (!is_field_value(value)) return &bad_field;
    if (request_.headers.size() == limits_.fields) return &headers_too_large;
    request_.headers.push_back(
        {std::string(line.substr(0, colon)), std::string(without_blanks(value))});
    return note_field(request_.headers.back());
}

// Notes what decides how the message is cut. The verdict over all of them comes at the end of the
// head.
const Refusal* RequestParser::note_field(const HttpHeader& field) {
    switch (field.name.size()) {
        case 4:
            if (equal_ignoring_case(field.name, "Host")) ++hosts_;
            break;
        case 6:
            if (!equal_ignoring_case(field.name, "Expect")) break;
            ++expects_;
            expects_continue_ = equal_ignoring_case(field.value, "100-continue");
            break;
        case 10: {
            if (!equal_ignoring_case(field.name, "Connection")) break;
            std::string_view rest = field.value;
            while (!rest.empty()) {
                const size_t comma = std::min(rest.find(','), rest.size());
                const std::string_view option = without_blanks(rest.substr(0, comma));
                if (!option.empty() && !is_token(option)) return &bad_connection;
                close_asked_ |= equal_ignoring_case(option, "close");
                keep_asked_ |= equal_ignoring_case(option, "keep-alive");
                rest.remove_prefix(std::min(comma + 1, rest.size()));
            }
            break;
        }
        case 14: {
            if (!equal_ignoring_case(field.name, "Content-Length")) break;
            if (++lengths_ > 1) return &two_lengths;
            if (!is_digits(field.value) || field.value.size() > max_length_digits)
                return &bad_length;
            content_length_ = std::stoull(field.value);
            break;
        }
        case 17:
            if (!equal_ignoring_case(field.name, "Transfer-Encoding")) break;
            ++encodings_;
            chunked_ = field.value == "chunked";
            break;
        default:
            break;
    }
    return nullptr;
}

const Refusal* RequestParser::finish_head() {
    if (encodings_ > 1 || (encodings_ == 1 && !chunked_)) return &bad_encoding;
    if (encodings_ && (lengths_ || http_1_0_)) return &two_lengths;
    const auto host = request_.header("Host");
    if (hosts_ != 1 || !host || !is_host(*host)) return &bad_host;
    if (expects_ > 1 || (expects_ == 1 && (!expects_continue_ || http_1_0_)))
        return &bad_expectation;
    keep_alive_ = !close_asked_ && (!http_1_0_ || keep_asked_);
    // A body that nobody announced would be read as the next request (S07).
    const bool may_carry =
        request_.method == "POST" || request_.method == "PUT" || request_.method == "PATCH";
    if (may_carry && !content_length_ && !chunked_) keep_alive_ = false;
    return nullptr;
}

Step RequestParser::begin_body() {
    if (chunked_) {
        state_ = State::chunk_size;
        return Step::need_more;
    }
    left_ = content_length_.value_or(0);
    if (left_ > body_limit_) return refuse(body_too_large);
    state_ = State::fixed;
    request_.body.reserve(std::min<size_t>(left_, first_body_reserve));
    std::string_view none;
    return take_fixed(none);
}

Step RequestParser::take_fixed(std::string_view& bytes) {
    const std::string_view piece = bytes.substr(0, left_);
    request_.body.append(piece);
    bytes.remove_prefix(piece.size());
    left_ -= piece.size();
    if (left_ > 0) return Step::need_more;
    state_ = State::done;
    return Step::complete;
}

Step RequestParser::take_chunk_size(std::string_view& bytes) {
    std::string_view line;
    switch (take_line(bytes, max_chunk_digits + limits_.chunk_extension, line)) {
        case Line::missing:
            return Step::need_more;
        case Line::too_long:
            return refuse(bad_chunk);
        case Line::found:
            break;
    }
    size_t digits = 0;
    uint64_t size = 0;
    for (; digits < line.size() && hex_value(line[digits]) >= 0; ++digits) {
        if (digits == max_chunk_digits) return refuse(bad_chunk);
        size = size << 4 | static_cast<uint64_t>(hex_value(line[digits]));
    }
    const std::string_view extension = line.substr(digits);
    if (digits == 0 || extension.size() > limits_.chunk_extension || !is_chunk_extension(extension))
        return refuse(bad_chunk);
    if (size > body_limit_ - request_.body.size()) return refuse(body_too_large);
    if (digits > plain_chunk_digits) return refuse(bad_chunk);
    left_ = size;
    state_ = size == 0 ? State::trailer : State::chunk_data;
    return Step::need_more;
}

Step RequestParser::take_chunk_data(std::string_view& bytes) {
    const std::string_view piece = bytes.substr(0, left_);
    request_.body.append(piece);
    bytes.remove_prefix(piece.size());
    left_ -= piece.size();
    if (left_ == 0) state_ = State::chunk_end;
    return Step::need_more;
}

Step RequestParser::take_chunk_end(std::string_view& bytes) {
    while (!bytes.empty()) {
        const char expected = cr_seen_ ? '\n' : '\r';
        if (bytes.front() != expected) return refuse(bad_chunk);
        bytes.remove_prefix(1);
        cr_seen_ = !cr_seen_;
        if (cr_seen_) continue;
        state_ = State::chunk_size;
        break;
    }
    return Step::need_more;
}

// Trailer fields are checked and dropped: no handler asks for them.
Step RequestParser::take_trailer(std::string_view& bytes) {
    std::string_view line;
    switch (take_line(bytes, limits_.trailer - trailer_, line)) {
        case Line::missing:
            return Step::need_more;
        case Line::too_long:
            return refuse(bad_trailer);
        case Line::found:
            break;
    }
    if (line.empty()) {
        state_ = State::done;
        return Step::complete;
    }
    trailer_ += line.size() + 2;
    const size_t colon = line.find(':');
    if (trailer_ > limits_.trailer || colon == std::string_view::npos) return refuse(bad_trailer);
    const std::string_view name = line.substr(0, colon);
    if (!is_token(name) || !is_field_value(line.substr(colon + 1)) || is_framing_field(name))
        return refuse(bad_trailer);
    return Step::need_more;
}

}  // namespace patchbay
