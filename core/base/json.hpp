// Small helpers over Poco::JSON: strict reading (S32), objects that keep the order they were
// written in, fields by path.
#pragma once
#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace patchbay {

using JsonObject = Poco::JSON::Object::Ptr;
using JsonArray = Poco::JSON::Array::Ptr;
using JsonValue = Poco::Dynamic::Var;

/// A text that is not the JSON it should be. `offset` counts bytes from 0.
struct JsonError : std::runtime_error {
    JsonError(size_t offset_, const std::string& text);
    size_t offset;
};

struct JsonLimits {
    size_t depth = 32;
    size_t members = 10'000;  ///< Of one array or object.
};

/// Refuses what S32 names: depth, members, numbers outside int64 and double, duplicate keys, BOM,
/// trailing bytes, NUL, invalid UTF-8, lone surrogates. Throws JsonError.
void check_json(std::string_view text, const JsonLimits& limits = {});

/// check_json, then the value. Throws JsonError.
JsonValue parse_json(std::string_view text, const JsonLimits& limits = {});
/// The same for a text that must be an object.
JsonObject parse_json_object(std::string_view text, const JsonLimits& limits = {});

JsonObject make_object();  ///< Its keys keep the order of set().
JsonArray make_array();
inline JsonValue json_null() { return {}; }
/// null for an empty optional.
template <class T>
JsonValue json_or_null(const std::optional<T>& value) {
    return value ? JsonValue{*value} : JsonValue{};
}

/// The value at "sender.name" or "items.0.id"; empty when absent or null.
JsonValue value_at(const JsonValue& root, std::string_view path);
/// The same as text; numbers and booleans as JSON writes them. nullopt when absent, null, an object
/// or an array.
std::optional<std::string> text_at(const JsonValue& root, std::string_view path);
std::optional<int64_t> int_at(const JsonValue& root, std::string_view path);

/// Compact, keys in the object's order, UTF-8 as it is.
std::string to_json(const JsonValue& value);
void append_json_string(std::string& out,
                        std::string_view text);  ///< Quoted; invalid UTF-8 becomes U+FFFD.

/// Bytes of the well-formed UTF-8 character that begins `text`; 0 when there is none (surrogates
/// and overlong forms count as none).
size_t utf8_char_size(std::string_view text);

}  // namespace patchbay
