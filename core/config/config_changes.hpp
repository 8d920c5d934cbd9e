// What is different between two configurations, by paths.
#pragma once
#include <string>
#include <vector>

#include "config/hub_config.hpp"

namespace patchbay {

/// Keys of the hub itself: all but `plugins`.
struct HubChanges {
    std::vector<std::string> in_place;  ///< A running hub follows these: departments, log.level.
    std::vector<std::string> restart;   ///< It read these when it started: server.listen.
};
HubChanges changes_of(const HubConfig& before, const HubConfig& after);

/// Keys of one instance that are different, below the instance: "plugin", "limits.concurrency",
/// "config.rules[0].reply". In the order of the alphabet.
std::vector<std::string> changed_keys(const InstanceConfig& before, const InstanceConfig& after);

/// Whether the hub alone reads this key of an instance, so that the plugin need not hear of a
/// change.
bool is_read_by_hub(const std::string& key);

/// Where a key of the file is, such as "server.listen": its value, or the nearest place above it
/// that the text has.
Position position_of(const std::string& text, const std::string& path);

}  // namespace patchbay
