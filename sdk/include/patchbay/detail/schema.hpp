// The configuration of a plugin as it crosses the boundary: its schema, and the scalars in its
// values. The hub and the plugin's reader check values with the same functions, so that they agree.
#pragma once
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../services.hpp"
#include "wire.hpp"

namespace patchbay::detail {

/// The numbers cross the boundary: add at the end.
enum class ValueType : uint8_t {
    text,
    secret,
    integer,
    boolean,
    duration,
    choice,
    list,
    map,
    section,
    sections,
    named_sections
};

/// One key. `key` is a pattern: "verify.provider", "rules[].contains" (each item), "sheets.*.range"
/// (each name).
struct SchemaKey {
    std::string key{};
    ValueType type = ValueType::text;
    std::string about{};
    std::string fallback{};  ///< As it would stand in the file.
    bool required = false;
    uint32_t flags = 0;
    int64_t min = std::numeric_limits<int64_t>::min(), max = std::numeric_limits<int64_t>::max();
    std::vector<std::string> choices{};
    PATCHBAY_FIELDS {
        v(1, key)(2, type)(3, about)(4, fallback)(5, required)(6, flags)(7, min)(8, max);
        v(9, choices);
    }

    /// Has keys below it rather than a value.
    bool is_container() const { return type >= ValueType::list; }
};

struct Schema {
    std::vector<SchemaKey> keys{};
    std::vector<tables::Migration> migrations{};  ///< Of the plugin's own tables.
    PATCHBAY_FIELDS { v(1, keys)(2, migrations); }
};

inline std::optional<int64_t> parse_integer(std::string_view text) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

inline std::optional<bool> parse_boolean(std::string_view text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
}

struct DurationUnit {
    std::string_view name;
    int64_t ms;
};
inline constexpr DurationUnit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

/// A whole number and a unit: 500ms, 10s, 5m, 12h, 2d. Not negative, at most 100 years.
inline std::optional<milliseconds> parse_duration(std::string_view text) {
    const size_t digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    const auto count = parse_integer(text.substr(0, digits));
    if (!count) return std::nullopt;
    for (const DurationUnit& unit : duration_units) {
        if (text.substr(digits) != unit.name) continue;
        constexpr int64_t longest = 100ll * 365 * 86'400'000;
        if (*count > longest / unit.ms) return std::nullopt;
        return milliseconds{*count * unit.ms};
    }
    return std::nullopt;
}

/// In the largest unit that divides it.
inline std::string duration_text(milliseconds value) {
    DurationUnit best = duration_units[0];
    for (const DurationUnit& unit : duration_units)
        if (value.count() != 0 && value.count() % unit.ms == 0) best = unit;
    if (value.count() == 0) best = duration_units[1];
    return std::to_string(value.count() / best.ms) + std::string(best.name);
}

inline std::string quoted(std::string_view text) {
    std::string with_quotes = "\"";  // Appended step by step: GCC 12 warns wrongly about a sum.
    with_quotes += text;
    with_quotes += '"';
    return with_quotes;
}

/// What is wrong with a scalar, in words; nullopt when nothing is. A secret's value is never
/// quoted.
inline std::optional<std::string> complaint(const SchemaKey& key, std::string_view value) {
    switch (key.type) {
        case ValueType::text:
        case ValueType::secret:
            if (key.required && value.empty()) return "must not be empty";
            return std::nullopt;
        case ValueType::integer: {
            const auto number = parse_integer(value);
            if (number && *number >= key.min && *number <= key.max) return std::nullopt;
            return "expected a number from " + std::to_string(key.min) + " to " +
                   std::to_string(key.max) + ", found " + quoted(value);
        }
        case ValueType::boolean:
            if (parse_boolean(value)) return std::nullopt;
            return "expected true or false, found " + quoted(value);
        case ValueType::duration:
            if (parse_duration(value)) return std::nullopt;
            return "expected a duration such as \"10s\", found " + quoted(value);
        case ValueType::choice: {
            std::string words;
            for (const std::string& choice : key.choices) {
                if (choice == value) return std::nullopt;
                words += (words.empty() ? "" : ", ") + choice;
            }
            return "expected one of " + words + "; found " + quoted(value);
        }
        case ValueType::list:
            return "expected a list";
        case ValueType::sections:
            return "expected a list of maps";
        default:
            return "expected a map";
    }
}

}  // namespace patchbay::detail
