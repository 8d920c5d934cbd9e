// Configuration: a plugin's read_config(ConfigReader&) runs twice, once to record the schema, once
// to read. Keys that matter only under a condition are therefore read unconditionally, with a
// fallback.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detail/schema.hpp"
#include "detail/sink.hpp"
#include "values.hpp"

namespace patchbay {

/// No operator<<, no conversion: it cannot slip into a log line.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    const std::string& reveal() const { return value_; }
    bool empty() const { return value_.empty(); }

private:
    std::string value_;
};

namespace detail {
// Shared by a reader and the readers of its sections.
struct ConfigState {
    bool describing = false;
    const Labels* values =
        nullptr;  // Flattened: "verify.provider", "rules[0].contains", "rules[]" = count.
    Schema schema{};
    Labels problems{};  // The first one of each key.
};
}  // namespace detail

/// Gathers problems instead of throwing: the operator sees all of them at once. `about` is one
/// sentence for people.
class ConfigReader {
public:
    enum : uint32_t { plain = 0, live = 1 /*applies without a new generation*/, deprecated = 2 };

    explicit ConfigReader(detail::ConfigState& state) : state_(&state) {}

    std::string required_text(std::string_view key, std::string_view about,
                              uint32_t flags = plain) {
        return text_of(note(key, detail::ValueType::text, about, "", true, flags));
    }
    std::string optional_text(std::string_view key, std::string_view fallback,
                              std::string_view about, uint32_t flags = plain) {
        return text_of(
            note(key, detail::ValueType::text, about, std::string(fallback), false, flags));
    }
    Secret required_secret(std::string_view key, std::string_view about) {
        return Secret(text_of(note(key, detail::ValueType::secret, about, "", true, plain)));
    }
    /// An empty Secret when it is not given.
    Secret optional_secret(std::string_view key, std::string_view about) {
        return Secret(text_of(note(key, detail::ValueType::secret, about, "", false, plain)));
    }
    int64_t optional_int(std::string_view key, int64_t fallback, int64_t min, int64_t max,
                         std::string_view about, uint32_t flags = plain);
    bool optional_bool(std::string_view key, bool fallback, std::string_view about,
                       uint32_t flags = plain);
    milliseconds optional_duration(std::string_view key, milliseconds fallback,
                                   std::string_view about, uint32_t flags = plain);
    std::string optional_choice(std::string_view key, std::string_view fallback,
                                std::vector<std::string> choices, std::string_view about,
                                uint32_t flags = plain);
    /// Of texts.
    std::vector<std::string> optional_list(std::string_view key, std::string_view about,
                                           uint32_t flags = plain);
    /// Of texts under names that the operator chooses.
    Labels optional_map(std::string_view key, std::string_view about, uint32_t flags = plain);

    /// `verify: {provider: twilio}`: a reader for the keys below it.
    ConfigReader section(std::string_view key, std::string_view about, uint32_t flags = plain);
    /// `rules: [{contains: a}, {contains: b}]`: `read` is called with a reader for each item and
    /// makes a value of it.
    template <class Read>
    auto sections(std::string_view key, std::string_view about, Read read, uint32_t flags = plain);
    /// `sheets: {guests: {range: A1}}`: the same under names that the operator chooses.
    template <class Read>
    auto named_sections(std::string_view key, std::string_view about, Read read,
                        uint32_t flags = plain);

    /// `text` finishes the sentence "<key> ...". Without a problem of its own before, so that one
    /// mistake is told once.
    void expect(std::string_view key, bool fine, std::string_view text) {
        if (!fine && !state_->describing) problem(prefix_ + std::string(key), std::string(text));
    }

private:
    ConfigReader(detail::ConfigState& state, std::string prefix, std::string pattern)
        : state_(&state), prefix_(std::move(prefix)), pattern_(std::move(pattern)) {}

    detail::SchemaKey note(std::string_view key, detail::ValueType type, std::string_view about,
                           std::string fallback, bool required, uint32_t flags) const {
        detail::SchemaKey item;
        item.key = key;
        item.type = type;
        item.about = about;
        item.fallback = std::move(fallback);
        item.required = required;
        item.flags = flags;
        return item;
    }
    void record(const detail::SchemaKey& item);
    std::string text_of(const detail::SchemaKey& item);
    const std::string* find(const std::string& key) const;
    uint64_t count_of(const detail::SchemaKey& item);
    std::vector<std::string> names_below(const std::string& key) const;
    void problem(std::string key, std::string text) {
        state_->problems.emplace(std::move(key), std::move(text));
    }

    detail::ConfigState* state_;
    std::string prefix_{}, pattern_{};  // "rules[0]." and "rules[]."
};

inline void ConfigReader::record(const detail::SchemaKey& item) {
    if (!state_->describing) return;
    detail::SchemaKey full = item;
    full.key = pattern_ + item.key;
    state_->schema.keys.push_back(std::move(full));
}

inline const std::string* ConfigReader::find(const std::string& key) const {
    if (state_->describing || !state_->values) return nullptr;
    const auto found = state_->values->find(prefix_ + key);
    return found == state_->values->end() ? nullptr : &found->second;
}

// The value if there is a good one, else the fallback; a bad one becomes a problem.
inline std::string ConfigReader::text_of(const detail::SchemaKey& item) {
    record(item);
    const std::string* value = find(item.key);
    if (!value) {
        if (item.required && !state_->describing) problem(prefix_ + item.key, "is missing");
        return item.fallback;
    }
    if (auto wrong = detail::complaint(item, *value)) {
        problem(prefix_ + item.key, std::move(*wrong));
        return item.fallback;
    }
    return *value;
}

inline int64_t ConfigReader::optional_int(std::string_view key, int64_t fallback, int64_t min,
                                          int64_t max, std::string_view about, uint32_t flags) {
    detail::SchemaKey item =
        note(key, detail::ValueType::integer, about, std::to_string(fallback), false, flags);
    item.min = min;
    item.max = max;
    return detail::parse_integer(text_of(item)).value_or(fallback);
}

inline bool ConfigReader::optional_bool(std::string_view key, bool fallback, std::string_view about,
                                        uint32_t flags) {
    return text_of(note(key, detail::ValueType::boolean, about, fallback ? "true" : "false", false,
                        flags)) == "true";
}

inline milliseconds ConfigReader::optional_duration(std::string_view key, milliseconds fallback,
                                                    std::string_view about, uint32_t flags) {
    const auto item = note(key, detail::ValueType::duration, about, detail::duration_text(fallback),
                           false, flags);
    return detail::parse_duration(text_of(item)).value_or(fallback);
}

inline std::string ConfigReader::optional_choice(std::string_view key, std::string_view fallback,
                                                 std::vector<std::string> choices,
                                                 std::string_view about, uint32_t flags) {
    detail::SchemaKey item =
        note(key, detail::ValueType::choice, about, std::string(fallback), false, flags);
    item.choices = std::move(choices);
    return text_of(item);
}

// Items of a list: what "key[]" says. A scalar in the place of a list is a problem.
inline uint64_t ConfigReader::count_of(const detail::SchemaKey& item) {
    record(item);
    if (find(item.key)) problem(prefix_ + item.key, *detail::complaint(item, ""));
    const std::string* count = find(item.key + "[]");
    return count ? static_cast<uint64_t>(detail::parse_integer(*count).value_or(0)) : 0;
}

inline std::vector<std::string> ConfigReader::optional_list(std::string_view key,
                                                            std::string_view about,
                                                            uint32_t flags) {
    const auto item = note(key, detail::ValueType::list, about, "", false, flags);
    const uint64_t count = count_of(item);
    std::vector<std::string> values;
    for (uint64_t i = 0; i < count; ++i) {
        const std::string place = item.key + "[" + std::to_string(i) + "]";
        const std::string* value = find(place);
        if (!value) problem(prefix_ + place, "expected a text");
        values.push_back(value ? *value : "");
    }
    return values;
}

// The names directly below a key, each once, in order.
inline std::vector<std::string> ConfigReader::names_below(const std::string& key) const {
    if (state_->describing || !state_->values) return {};
    const std::string begin = prefix_ + key + ".";
    std::set<std::string> names;
    for (auto at = state_->values->lower_bound(begin);
         at != state_->values->end() && at->first.starts_with(begin); ++at)
        names.insert(at->first.substr(begin.size(),
                                      at->first.find_first_of(".[", begin.size()) - begin.size()));
    return {names.begin(), names.end()};
}

inline Labels ConfigReader::optional_map(std::string_view key, std::string_view about,
                                         uint32_t flags) {
    const auto item = note(key, detail::ValueType::map, about, "", false, flags);
    record(item);
    if (const std::string* value = find(item.key); value && !value->empty())
        problem(prefix_ + item.key, *detail::complaint(item, ""));
    Labels values;
    for (const std::string& name : names_below(item.key)) {
        const std::string* value = find(item.key + "." + name);
        if (!value) problem(prefix_ + item.key + "." + name, "expected a text");
        values[name] = value ? *value : "";
    }
    return values;
}

inline ConfigReader ConfigReader::section(std::string_view key, std::string_view about,
                                          uint32_t flags) {
    const auto item = note(key, detail::ValueType::section, about, "", false, flags);
    record(item);
    if (const std::string* value = find(item.key); value && !value->empty())
        problem(prefix_ + item.key, *detail::complaint(item, ""));
    return {*state_, prefix_ + item.key + ".", pattern_ + item.key + "."};
}

template <class Read>
auto ConfigReader::sections(std::string_view key, std::string_view about, Read read,
                            uint32_t flags) {
    std::vector<decltype(read(*this))> values;
    const auto item = note(key, detail::ValueType::sections, about, "", false, flags);
    const uint64_t count = count_of(item);
    const std::string pattern = pattern_ + item.key + "[].";
    if (state_->describing) {
        ConfigReader any(*state_, pattern, pattern);
        read(any);
    }
    for (uint64_t i = 0; i < count; ++i) {
        ConfigReader one(*state_, prefix_ + item.key + "[" + std::to_string(i) + "].", pattern);
        values.push_back(read(one));
    }
    return values;
}

template <class Read>
auto ConfigReader::named_sections(std::string_view key, std::string_view about, Read read,
                                  uint32_t flags) {
    std::map<std::string, decltype(read(*this))> values;
    const auto item = note(key, detail::ValueType::named_sections, about, "", false, flags);
    record(item);
    if (const std::string* value = find(item.key); value && !value->empty())
        problem(prefix_ + item.key, *detail::complaint(item, ""));
    const std::string pattern = pattern_ + item.key + ".*.";
    if (state_->describing) {
        ConfigReader any(*state_, pattern, pattern);
        read(any);
    }
    for (const std::string& name : names_below(item.key)) {
        ConfigReader one(*state_, prefix_ + item.key + "." + name + ".", pattern);
        values.emplace(name, read(one));
    }
    return values;
}

}  // namespace patchbay
