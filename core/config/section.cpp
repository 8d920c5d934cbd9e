#include "config/section.hpp"

#include <charconv>
#include <numeric>

#include "base/time_text.hpp"

namespace patchbay {
namespace {

struct SizeUnit {
    std::string_view word;
    uint64_t bytes;
};
constexpr SizeUnit size_units[] = {
    {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}};

std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string listed(std::initializer_list<std::string_view> words) {
    std::string out;
    size_t left = words.size();
    for (const auto word : words) {
        out += in_quotes(word);
        if (--left > 0) out += left == 1 ? " or " : ", ";
    }
    return out;
}

std::string found(const YamlNode& node) {
    switch (node.kind) {
        case YamlNode::Kind::empty:
            return "nothing";
        case YamlNode::Kind::list:
            return "a list";
        case YamlNode::Kind::map:
            return "a map";
        case YamlNode::Kind::scalar:
            break;
    }
    return in_quotes(node.text);
}

size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

}  // namespace

Section::Section(ConfigContext& context, const YamlNode* node, std::string path, Position at)
    : context_(&context), node_(node), path_(std::move(path)), at_(at) {
    if (node_ && node_->kind != YamlNode::Kind::map) {
        // An empty section ("media:") means its defaults; anything else is a mistake.
        if (node_->kind != YamlNode::Kind::empty) {
            context_->problems.add(node_->at, path_, "expected a map, found " + found(*node_));
        }
        node_ = nullptr;
    }
}

std::string Section::path_of(const std::string& key) const {
    return path_.empty() ? key : path_ + "." + key;
}

const std::vector<YamlEntry>& Section::entries() const {
    static const std::vector<YamlEntry> none;
    return node_ ? node_->entries : none;
}

const YamlEntry* Section::take(const std::string& key) {
    known_.push_back(key);
    return node_ ? node_->find(key) : nullptr;
}

void Section::refuse(const std::string& key, std::string message) {
    const YamlEntry* entry = node_ ? node_->find(key) : nullptr;
    context_->problems.add(entry ? entry->value.at : at_, path_of(key), std::move(message));
}

const YamlEntry* Section::scalar(const std::string& key, const std::string& expected) {
    const YamlEntry* entry = take(key);
    if (!entry || entry->value.kind == YamlNode::Kind::scalar) return entry;
    const bool empty = entry->value.kind == YamlNode::Kind::empty;
    // An empty value has the position of what follows it; its key is the better place.
    context_->problems.add(empty ? entry->at : entry->value.at, path_of(key),
                           "expected " + expected + ", found " + found(entry->value));
    return nullptr;
}

std::string Section::text(const std::string& key, std::string fallback) {
    const YamlEntry* entry = scalar(key, "a text");
    if (!entry) return fallback;
    const auto kind = entry->value.plain ? ambiguous_kind(entry->value.text) : std::string_view{};
    if (!kind.empty()) {
        refuse(key, "expected a text, found " + std::string(kind) +
                        "; quote it: " + in_quotes(entry->value.text));
        return fallback;
    }
    return resolve_text(*context_, entry->value, path_of(key)).value_or(std::move(fallback));
}

std::string Section::required_text(const std::string& key) {
    if (!has(key)) {
        known_.push_back(key);
        context_->problems.add(at_, path_, in_quotes(key) + " is missing");
        return {};
    }
    std::string value = text(key);
    const YamlNode& node = node_->find(key)->value;
    if (value.empty() && node.kind == YamlNode::Kind::scalar && node.text.empty()) {
        refuse(key, "must not be empty");
    }
    return value;
}

std::string Section::choice(const std::string& key, std::string fallback,
                            std::initializer_list<std::string_view> choices) {
    const YamlEntry* entry = scalar(key, listed(choices));
    if (!entry) return fallback;
    const auto value = resolve_text(*context_, entry->value, path_of(key));
    if (!value) return fallback;
    if (std::find(choices.begin(), choices.end(), *value) != choices.end()) return *value;
    refuse(key, "expected " + listed(choices) + ", found " + in_quotes(*value));
    return fallback;
}

bool Section::flag(const std::string& key, bool fallback) {
    const YamlEntry* entry = scalar(key, "true or false");
    if (!entry) return fallback;
    bool changed = false;
    const auto value = resolve_text(*context_, entry->value, path_of(key), &changed);
    if (!value) return fallback;
    if ((entry->value.plain || changed) && (*value == "true" || *value == "false")) {
        return *value == "true";
    }
    refuse(key, "expected true or false, found " + in_quotes(*value));
    return fallback;
}

int64_t Section::number(const std::string& key, int64_t fallback, int64_t lowest, int64_t highest) {
    const YamlEntry* entry = scalar(key, "a whole number");
    if (!entry) return fallback;
    const auto resolved = resolve_text(*context_, entry->value, path_of(key));
    if (!resolved) return fallback;
    const std::string& value = *resolved;
    int64_t out = 0;
    const char* end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, out);
    if (error != std::errc{} || rest != end) {
        refuse(key, "expected a whole number, found " + in_quotes(value));
        return fallback;
    }
    if (out >= lowest && out <= highest) return out;
    refuse(key, "expected a number from " + std::to_string(lowest) + " to " +
                    std::to_string(highest) + ", found " + value);
    return fallback;
}

std::chrono::milliseconds Section::duration(const std::string& key,
                                            std::chrono::milliseconds fallback,
                                            std::chrono::milliseconds lowest,
                                            std::chrono::milliseconds highest) {
    const std::string expected = "a duration such as \"10s\"";
    const YamlEntry* entry = scalar(key, expected);
    if (!entry) return fallback;
    const auto resolved = resolve_text(*context_, entry->value, path_of(key));
    if (!resolved) return fallback;
    const std::string& value = *resolved;
    const auto out = parse_duration(value);
    if (!out) {
        refuse(key, "expected " + expected + ", found " + in_quotes(value));
    } else if (*out < lowest || *out > highest) {
        refuse(key, "expected a duration from " + duration_text(lowest) + " to " +
                        duration_text(highest) + ", found " + value);
    } else {
        return *out;
    }
    return fallback;
}

uint64_t Section::bytes(const std::string& key, uint64_t fallback, uint64_t lowest) {
    const std::string expected = "a size such as \"256MiB\"";
    const YamlEntry* entry = scalar(key, expected);
    if (!entry) return fallback;
    const auto resolved = resolve_text(*context_, entry->value, path_of(key));
    if (!resolved) return fallback;
    const std::string& value = *resolved;
    const auto out = parse_size(value);
    if (!out) {
        refuse(key, "expected " + expected + ", found " + in_quotes(value));
    } else if (*out < lowest) {
        refuse(key, "expected at least " + size_text(lowest) + ", found " + value);
    } else {
        return *out;
    }
    return fallback;
}

std::vector<std::string> Section::texts(const std::string& key, std::vector<std::string> fallback) {
    const YamlEntry* entry = take(key);
    if (!entry) return fallback;
    if (entry->value.kind != YamlNode::Kind::list) {
        refuse(key, "expected a list of texts, found " + found(entry->value));
        return fallback;
    }
    std::vector<std::string> out;
    for (size_t i = 0; i < entry->value.items.size(); ++i) {
        const YamlNode& item = entry->value.items[i];
        const std::string path = path_of(key) + "[" + std::to_string(i) + "]";
        const auto kind = item.plain ? ambiguous_kind(item.text) : std::string_view{};
        if (item.kind != YamlNode::Kind::scalar) {
            context_->problems.add(item.at, path, "expected a text, found " + found(item));
        } else if (!kind.empty()) {
            context_->problems.add(item.at, path,
                                   "expected a text, found " + std::string(kind) +
                                       "; quote it: " + in_quotes(item.text));
        } else {
            out.push_back(resolve_text(*context_, item, path).value_or(""));
        }
    }
    return out;
}

Section Section::section(const std::string& key) {
    const YamlEntry* entry = take(key);
    return {*context_, entry ? &entry->value : nullptr, path_of(key), entry ? entry->at : at_};
}

void Section::done() {
    for (const YamlEntry& entry : entries()) {
        if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
        const std::string near = nearest(entry.key, known_);
        context_->problems.add(
            entry.at, path_of(entry.key),
            near.empty() ? "unknown key" : "unknown key, did you mean " + in_quotes(near) + "?");
    }
}

std::optional<std::string> resolve_text(ConfigContext& context, const YamlNode& value,
                                        const std::string& path, bool* changed) {
    Interpolated out = interpolate(value.text, context.base, context.production);
    if (changed) *changed = out.changed;
    if (out.problem.empty()) return std::move(out.text);
    context.problems.add(value.at, path, out.problem);
    return std::nullopt;
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    std::string best;
    size_t least = word.size() / 3 + 2;
    for (const auto& candidate : known) {
        const size_t distance = edit_distance(word, candidate);
        if (distance >= least) continue;
        least = distance;
        best = candidate;
    }
    return best;
}

std::optional<uint64_t> parse_size(std::string_view text) {
    uint64_t count = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc{}) return std::nullopt;
    const std::string_view word(rest, static_cast<size_t>(end - rest));
    for (const auto& unit : size_units) {
        if (unit.word == word && count <= UINT64_MAX / unit.bytes) return count * unit.bytes;
    }
    return std::nullopt;
}

std::string size_text(uint64_t bytes) {
    for (const auto& unit : size_units) {
        if (bytes && bytes % unit.bytes == 0) {
            return std::to_string(bytes / unit.bytes) + std::string(unit.word);
        }
    }
    return std::to_string(bytes) + "B";
}

}  // namespace patchbay
