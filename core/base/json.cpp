#include "base/json.hpp"

#include <Poco/JSON/Parser.h>

#include <charconv>
#include <cmath>
#include <unordered_set>

namespace patchbay {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Walks a text once and throws at the first byte that breaks a rule.
class Checker {
public:
    Checker(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {}

    void run() {
        if (text_.substr(0, 3) == "\xEF\xBB\xBF") fail("a byte order mark");
        skip_blanks();
        value(1);
        skip_blanks();
        if (at_ < text_.size()) fail("bytes after the value");
    }

private:
    [[noreturn]] void fail(const std::string& what) const { throw JsonError(at_, what); }
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_blanks() {
        while (at_ < text_.size() &&
               (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) {
            ++at_;
        }
    }
    void require(char c) {
        if (peek() != c) fail(std::string("expected '") + c + "'");
        ++at_;
    }

    void value(size_t depth) {
        if (depth > limits_.depth) fail("nested too deeply");
        switch (peek()) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                string();
                return;
            case 't':
                return word("true");
            case 'f':
                return word("false");
            case 'n':
                return word("null");
            default:
                return number();
        }
    }

    void word(std::string_view expected) {
        if (text_.substr(at_, expected.size()) != expected) fail("not a JSON value");
        at_ += expected.size();
    }

    template <class Member>
    void members(char close, Member member) {
        ++at_;
        skip_blanks();
        if (peek() == close) {
            ++at_;
            return;
        }
        for (size_t count = 1;; ++count) {
            if (count > limits_.members) fail("too many members");
            skip_blanks();
            member();
            skip_blanks();
            if (peek() == close) break;
            require(',');
        }
        ++at_;
    }

    void array(size_t depth) {
        members(']', [&] { value(depth + 1); });
    }

    void object(size_t depth) {
        std::unordered_set<std::string> keys;
        members('}', [&] {
            if (peek() != '"') fail("expected a key");
            const size_t begin = at_;
            if (!keys.insert(string()).second) {
                at_ = begin;
                fail("duplicate key");
            }
            skip_blanks();
            require(':');
            skip_blanks();
            value(depth + 1);
        });
    }

    unsigned hex4() {
        unsigned code = 0;
        const char* begin = text_.data() + at_;
        const char* end = begin + std::min<size_t>(4, text_.size() - at_);
        if (end - begin < 4 || std::from_chars(begin, end, code, 16).ptr != end) {
            fail("bad \\u escape");
        }
        at_ += 4;
        return code;
    }

    void append_utf8(std::string& out, unsigned code) {
        if (code < 0x80) {
            out += static_cast<char>(code);
        } else if (code < 0x800) {
            out += {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 63))};
        } else if (code < 0x10000) {
            out +=
                {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 63)),
                 static_cast<char>(0x80 | (code & 63))};
        } else {
            out +=
                {static_cast<char>(0xF0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 63)),
                 static_cast<char>(0x80 | (code >> 6 & 63)), static_cast<char>(0x80 | (code & 63))};
        }
    }

    void unicode_escape(std::string& out) {
        const unsigned code = hex4();
        if (code == 0) fail("NUL in a string");
        if (code >= 0xDC00 && code < 0xE000) fail("lone surrogate");
        if (code < 0xD800 || code >= 0xDC00) return append_utf8(out, code);
        if (text_.substr(at_, 2) != "\\u") fail("lone surrogate");
        at_ += 2;
        const unsigned low = hex4();
        if (low < 0xDC00 || low >= 0xE000) fail("lone surrogate");
        append_utf8(out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
    }

    void escape(std::string& out) {
        const char c = peek();
        ++at_;
        switch (c) {
            case '"':
            case '\\':
            case '/':
                out += c;
                return;
            case 'b':
                out += '\b';
                return;
            case 'f':
                out += '\f';
                return;
            case 'n':
                out += '\n';
                return;
            case 'r':
                out += '\r';
                return;
            case 't':
                out += '\t';
                return;
            case 'u':
                return unicode_escape(out);
            default:
                --at_;
                fail("unknown escape");
        }
    }

    /// Decoded, so that "a" and "\u0061" are seen to be one key.
    std::string string() {
        std::string out;
        ++at_;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"') {
                ++at_;
                return out;
            }
            if (static_cast<unsigned char>(c) < 0x20) fail("control byte in a string");
            if (c == '\\') {
                ++at_;
                escape(out);
                continue;
            }
            const size_t size = utf8_char_size(text_.substr(at_));
            if (size == 0) fail("invalid UTF-8");
            out += text_.substr(at_, size);
            at_ += size;
        }
        fail("unfinished string");
    }

    void digits() {
        if (!is_digit(peek())) fail("not a JSON value");
        while (is_digit(peek())) ++at_;
    }

    void number() {
        const size_t begin = at_;
        if (peek() == '-') ++at_;
        if (peek() == '0' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) {
            fail("number with a leading 0");
        }
        digits();
        const bool integer = peek() != '.' && (peek() | 32) != 'e';
        if (peek() == '.') {
            ++at_;
            digits();
        }
        if ((peek() | 32) == 'e') {
            ++at_;
            if (peek() == '+' || peek() == '-') ++at_;
            digits();
        }
        const std::string_view token = text_.substr(begin, at_ - begin);
        if (!representable(token, integer)) {
            at_ = begin;
            fail("number out of range");
        }
    }

    static bool representable(std::string_view token, bool integer) {
        const char* end = token.data() + token.size();
        if (integer) {
            int64_t value = 0;
            return std::from_chars(token.data(), end, value).ec == std::errc{};
        }
        double value = 0;
        const auto error = std::from_chars(token.data(), end, value).ec;
        return error == std::errc{} && std::isfinite(value);
    }

    std::string_view text_;
    const JsonLimits& limits_;
    size_t at_ = 0;
};

JsonValue child(const JsonValue& parent, std::string_view name) {
    if (parent.type() == typeid(JsonObject)) {
        return parent.extract<JsonObject>()->get(std::string(name));
    }
    if (parent.type() == typeid(JsonArray)) {
        unsigned index = 0;
        const char* end = name.data() + name.size();
        if (std::from_chars(name.data(), end, index).ptr != end) return {};
        return parent.extract<JsonArray>()->get(index);
    }
    return {};
}

}  // namespace

JsonError::JsonError(size_t offset_, const std::string& text)
    : std::runtime_error("byte " + std::to_string(offset_) + ": " + text), offset(offset_) {}

void check_json(std::string_view text, const JsonLimits& limits) { Checker(text, limits).run(); }

JsonValue parse_json(std::string_view text, const JsonLimits& limits) {
    check_json(text, limits);
    try {
        Poco::JSON::Parser parser(new Poco::JSON::ParseHandler(true));
        return parser.parse(std::string(text));
    } catch (const Poco::Exception& error) {
        throw JsonError(0, error.displayText());
    }
}

JsonObject parse_json_object(std::string_view text, const JsonLimits& limits) {
    // Poco's parser takes objects and arrays only; a bare value is no object anyway.
    check_json(text, limits);
    if (text[text.find_first_not_of(" \t\r\n")] != '{') throw JsonError(0, "expected an object");
    return parse_json(text, limits).extract<JsonObject>();
}

JsonObject make_object() { return new Poco::JSON::Object(Poco::JSON_PRESERVE_KEY_ORDER); }
JsonArray make_array() { return new Poco::JSON::Array(); }

JsonValue value_at(const JsonValue& root, std::string_view path) {
    JsonValue value = root;
    while (!path.empty() && !value.isEmpty()) {
        const size_t dot = path.find('.');
        value = child(value, path.substr(0, dot));
        path = dot == std::string_view::npos ? "" : path.substr(dot + 1);
    }
    return value;
}

std::optional<std::string> text_at(const JsonValue& root, std::string_view path) {
    const JsonValue value = value_at(root, path);
    if (value.isEmpty() || value.type() == typeid(JsonObject) ||
        value.type() == typeid(JsonArray)) {
        return std::nullopt;
    }
    return value.convert<std::string>();
}

std::optional<int64_t> int_at(const JsonValue& root, std::string_view path) {
    const JsonValue value = value_at(root, path);
    if (value.isEmpty() || !value.isInteger()) return std::nullopt;
    return value.convert<int64_t>();
}

namespace {

void append_json(std::string& out, const JsonValue& value) {
    if (value.isEmpty()) {
        out += "null";
    } else if (value.type() == typeid(JsonObject)) {
        const JsonObject object = value.extract<JsonObject>();
        out += '{';
        for (const auto& name : object->getNames()) {
            if (out.back() != '{') out += ',';
            append_json_string(out, name);
            out += ':';
            append_json(out, object->get(name));
        }
        out += '}';
    } else if (value.type() == typeid(JsonArray)) {
        const JsonArray array = value.extract<JsonArray>();
        out += '[';
        for (size_t i = 0; i < array->size(); ++i) {
            if (i > 0) out += ',';
            append_json(out, array->get(static_cast<unsigned>(i)));
        }
        out += ']';
    } else if (value.isString()) {
        append_json_string(out, value.extract<std::string>());
    } else {
        out += value.convert<std::string>();
    }
}

}  // namespace

std::string to_json(const JsonValue& value) {
    std::string out;
    append_json(out, value);
    return out;
}

void append_json_string(std::string& out, std::string_view text) {
    static constexpr std::string_view digits = "0123456789abcdef";
    out += '"';
    while (!text.empty()) {
        const char c = text[0];
        const auto byte = static_cast<unsigned char>(c);
        size_t size = 1;
        if (c == '"' || c == '\\') {
            out += {'\\', c};
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
        } else if ((size = utf8_char_size(text)) > 0) {
            out += text.substr(0, size);
        } else {
            out += "\xEF\xBF\xBD";
            size = 1;
        }
        text.remove_prefix(size);
    }
    out += '"';
}

size_t utf8_char_size(std::string_view text) {
    const auto byte = [&](size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const auto follows = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
    const unsigned first = byte(0);
    if (text.empty()) return 0;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first < 0xF0) {
        if (!follows(1) || !follows(2)) return 0;
        if (first == 0xE0 && byte(1) < 0xA0) return 0;   // Overlong.
        if (first == 0xED && byte(1) >= 0xA0) return 0;  // Surrogate.
        return 3;
    }
    if (first >= 0xF0 && first < 0xF5) {
        if (!follows(1) || !follows(2) || !follows(3)) return 0;
        if (first == 0xF0 && byte(1) < 0x90) return 0;
        if (first == 0xF4 && byte(1) >= 0x90) return 0;
        return 4;
    }
    return 0;
}

}  // namespace patchbay
