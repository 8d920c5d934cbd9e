#include "config/config_changes.hpp"

#include <algorithm>
#include <set>

#include "config/current_config.hpp"
#include "config/yaml_tree.hpp"

namespace patchbay {
namespace {

constexpr std::string_view read_by_hub[] = {"aliases",
                                            "enabled",
                                            "flow",
                                            "signatures",
                                            "single_conversation",
                                            "limits.concurrency",
                                            "limits.per_second",
                                            "limits.bulk_per_day",
                                            "limits.drain_timeout"};

// A first start makes the key that its file says is missing: the same file has it afterwards.
bool same_token_keys(const HubConfig& before, const HubConfig& after) {
    return !before.auth.missing_key_file.empty() || before.auth.token_keys == after.auth.token_keys;
}

}  // namespace

const InstanceConfig* find_instance(const HubConfig& config, const std::string& name) {
    for (const InstanceConfig& instance : config.plugins)
        if (instance.name == name) return &instance;
    return nullptr;
}

HubChanges changes_of(const HubConfig& before, const HubConfig& after) {
    HubChanges changes;
    const auto in_place = [&](bool same, const char* path) {
        if (!same) changes.in_place.emplace_back(path);
    };
    const auto restart = [&](bool same, const char* path) {
        if (!same) changes.restart.emplace_back(path);
    };
    const auto &a = before.server, &b = after.server;
    in_place(before.departments == after.departments, "departments");
    in_place(before.log.level == after.log.level, "log.level");
    in_place(a.cors_origins == b.cors_origins, "server.cors_origins");

    restart(before.mode == after.mode, "mode");
    restart(a.listen == b.listen, "server.listen");
    restart(a.public_url == b.public_url && a.written_public_url == b.written_public_url,
            "server.public_url");
    restart(a.trusted_proxies == b.trusted_proxies, "server.trusted_proxies");
    restart(a.allowed_hosts == b.allowed_hosts, "server.allowed_hosts");
    restart(a.tls.certificate == b.tls.certificate, "server.tls.certificate");
    restart(a.tls.key == b.tls.key, "server.tls.key");
    restart(a.limits.connections == b.limits.connections, "server.limits.connections");
    restart(a.limits.connections_per_address == b.limits.connections_per_address,
            "server.limits.connections_per_address");
    restart(before.store.url == after.store.url, "store.url");
    restart(before.realtime.url == after.realtime.url, "realtime.url");
    restart(before.media.url == after.media.url, "media.url");
    restart(before.log.format == after.log.format, "log.format");
    restart(before.log.file == after.log.file, "log.file");
    restart(before.log.access == after.log.access, "log.access");
    restart(same_token_keys(before, after), "auth.token_keys");
    restart(before.auth.token_ttl == after.auth.token_ttl, "auth.token_ttl");
    restart(before.plugin_path == after.plugin_path, "plugin_path");
    restart(before.rules == after.rules, "rules");
    restart(before.flows == after.flows, "flows");
    return changes;
}

std::vector<std::string> changed_keys(const InstanceConfig& before, const InstanceConfig& after) {
    std::set<std::string> keys;
    const auto compare = [&](bool same, const std::string& key) {
        if (!same) keys.insert(key);
    };
    compare(before.plugin == after.plugin, "plugin");
    compare(before.enabled == after.enabled, "enabled");
    compare(before.isolation == after.isolation, "isolation");
    compare(before.flow == after.flow, "flow");
    compare(before.signatures == after.signatures, "signatures");
    compare(before.single_conversation == after.single_conversation, "single_conversation");
    compare(before.aliases == after.aliases, "aliases");
    const InstanceLimits &a = before.limits, &b = after.limits;
    compare(a.concurrency == b.concurrency, "limits.concurrency");
    compare(a.per_second == b.per_second, "limits.per_second");
    compare(a.bulk_per_day == b.bulk_per_day, "limits.bulk_per_day");
    compare(a.memory_bytes == b.memory_bytes, "limits.memory");
    compare(a.files == b.files, "limits.files");
    compare(a.drain_timeout == b.drain_timeout, "limits.drain_timeout");
    compare(before.restart.max == after.restart.max, "restart.max");
    compare(before.restart.per == after.restart.per, "restart.per");
    const auto only_in_first = [&](const auto& first, const auto& second) {
        for (const auto& [key, value] : first) {
            const auto found = second.find(key);
            compare(found != second.end() && found->second == value, "config." + key);
        }
    };
    only_in_first(before.config, after.config);
    only_in_first(after.config, before.config);
    return {keys.begin(), keys.end()};
}

bool is_read_by_hub(const std::string& key) {
    return std::find(std::begin(read_by_hub), std::end(read_by_hub), key) != std::end(read_by_hub);
}

Position position_of(const std::string& text, const std::string& path) {
    ConfigProblems ignored{""};
    const YamlDocument document = read_yaml(text, ignored);
    const YamlNode* node = &document.root;
    Position at{1, 1};
    for (size_t begin = 0; begin <= path.size();) {
        const size_t end = std::min(path.find('.', begin), path.size());
        const YamlEntry* entry = node->find(path.substr(begin, end - begin));
        if (!entry) return at;
        node = &entry->value;
        at = node->kind == YamlNode::Kind::empty ? entry->at : node->at;
        begin = end + 1;
    }
    return at;
}

}  // namespace patchbay
