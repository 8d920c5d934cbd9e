#include "plugins/instance_plan.hpp"

#include <algorithm>
#include <patchbay/config_reader.hpp>

#include "config/config_changes.hpp"

namespace patchbay {
namespace {

constexpr std::string_view plugin_block = "config.";

// Takes one step of `pattern` off both; false when they differ. "[]" is each number and the count,
// ".*" is each name.
bool take_step(std::string_view& pattern, std::string_view& key) {
    if (pattern.starts_with("[]")) {
        const size_t end = key.find(']');
        if (!key.starts_with('[') || end == std::string_view::npos) return false;
        pattern.remove_prefix(2);
        key.remove_prefix(end + 1);
        return true;
    }
    if (pattern.starts_with(".*")) {
        if (!key.starts_with('.')) return false;
        pattern.remove_prefix(2);
        key.remove_prefix(std::min(key.find_first_of(".[", 1), key.size()));
        return true;
    }
    if (key.empty() || key.front() != pattern.front()) return false;
    pattern.remove_prefix(1);
    key.remove_prefix(1);
    return true;
}

// The key, or a place that it stands in.
bool covers(std::string_view pattern, std::string_view key) {
    while (!pattern.empty())
        if (!take_step(pattern, key)) return false;
    return key.empty() || key.front() == '.' || key.front() == '[';
}

}  // namespace

std::string_view word(InstanceStep::Action action) {
    static constexpr std::string_view words[] = {"none", "start", "stop", "reconfigure", "replace"};
    return words[static_cast<size_t>(action)];
}

bool is_live(const detail::Schema& schema, std::string_view key) {
    return std::any_of(schema.keys.begin(), schema.keys.end(), [&](const detail::SchemaKey& one) {
        return (one.flags & ConfigReader::live) != 0 && covers(one.key, key);
    });
}

bool can_stay(const detail::Schema& schema, const std::vector<std::string>& changed) {
    return std::all_of(changed.begin(), changed.end(), [&](const std::string& key) {
        if (!key.starts_with(plugin_block)) return is_read_by_hub(key);
        return is_live(schema, std::string_view(key).substr(plugin_block.size()));
    });
}

std::vector<std::string> plugin_keys(const std::vector<std::string>& changed) {
    std::vector<std::string> keys;
    for (const std::string& key : changed)
        if (key.starts_with(plugin_block)) keys.push_back(key.substr(plugin_block.size()));
    return keys;
}

}  // namespace patchbay
