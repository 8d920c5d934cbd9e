// What becomes of an instance when its configuration, or its plugin's file, is another.
#pragma once
#include <patchbay/detail/schema.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

struct InstanceStep {
    enum class Action {
        none,         ///< Nothing is different.
        start,        ///< It did not run.
        stop,         ///< It runs no more: it is disabled, or the file has it no longer.
        reconfigure,  ///< Goes on in the same generation with other values.
        replace       ///< A new generation takes over.
    };
    std::string instance;
    Action action = Action::none;
    /// Keys below the instance ("config.default_from", "limits.concurrency"); "file": the plugin's
    /// file is another one than that which runs.
    std::vector<std::string> changed{};
    bool is_removed = false;  ///< Of a stop: the configuration has no such instance any more.
};
std::string_view word(InstanceStep::Action action);

/// Whether the plugin marked this key as `live`, or what it stands in. `key` as in
/// InstanceConfig::config: "rules[0].reply", "rules[]".
bool is_live(const detail::Schema& schema, std::string_view key);

/// Whether a running plugin with this schema can go on in the same generation.
bool can_stay(const detail::Schema& schema, const std::vector<std::string>& changed);

/// Those of the changed keys that are the plugin's own, as it knows them.
std::vector<std::string> plugin_keys(const std::vector<std::string>& changed);

}  // namespace patchbay
