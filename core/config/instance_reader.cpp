#include "config/instance_reader.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

bool is_instance_name(std::string_view name) {
    if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") ==
           std::string_view::npos;
}

bool is_path(std::string_view path) {
    return path.starts_with('/') && path.find_first_of(" ?#%\\") == std::string_view::npos &&
           path.find("//") == std::string_view::npos && path.find("/../") == std::string_view::npos;
}

constexpr TextRule path_rule{is_path, "an absolute path such as \"/webhooks/sms/\"",
                             config_code::url};

/// Copies a plugin's block into InstanceConfig::config and its companions.
class Flattener {
public:
    Flattener(ConfigContext& context, InstanceConfig& out, std::string path)
        : context_(context), out_(out), path_(std::move(path)) {}

    void put_block(const YamlNode& block, Position key_at) {
        out_.key_positions[""] = out_.positions[""] = key_at;
        for (const auto& entry : block.entries) put_entry("", entry);
    }

private:
    void put_entry(const std::string& parent, const YamlEntry& entry) {
        const std::string key = parent.empty() ? entry.key : parent + "." + entry.key;
        // The flattened names could not be told apart.
        if (entry.key.find_first_of(".[]") != std::string::npos) {
            context_.problems.add(entry.at, path_ + "." + key,
                                  "a key here has no \".\", \"[\" or \"]\"", config_code::name);
            out_.unreadable.insert(parent);
            return;
        }
        put(key, entry.value, entry.at);
    }

    void put(const std::string& key, const YamlNode& value, Position key_at) {
        out_.key_positions[key] = key_at;
        out_.positions[key] = value.kind == YamlNode::Kind::scalar ? value.at : key_at;
        if (value.unreadable) {
            out_.unreadable.insert(key);
            return;
        }
        switch (value.kind) {
            case YamlNode::Kind::scalar:
                return put_text(key, value);
            case YamlNode::Kind::map:
                for (const auto& entry : value.entries) put_entry(key, entry);
                return;
            case YamlNode::Kind::list:
                return put_list(key, value);
            case YamlNode::Kind::empty:
                out_.unreadable.insert(key);
                context_.problems.add(value.at, path_ + "." + key,
                                      "has no value; write \"\" for an empty text",
                                      config_code::missing_value, "\"\"");
        }
    }

    void put_list(const std::string& key, const YamlNode& list) {
        out_.config[key + "[]"] = std::to_string(list.items.size());
        for (size_t i = 0; i < list.items.size(); ++i) {
            std::string place = key + "[";
            place += std::to_string(i) + "]";
            put(place, list.items[i], list.items[i].at);
        }
    }

    void put_text(const std::string& key, const YamlNode& value) {
        const std::string path = path_ + "." + key;
        const auto resolved = resolve(context_, value, path);
        if (!resolved) {
            out_.unreadable.insert(key);
            return;
        }
        if (value.plain && !resolved->changed) out_.unquoted.insert(key);
        if (!resolved->changed) out_.literal.insert(key);
        if (resolved->shown != resolved->text) out_.shown[key] = resolved->shown;
        out_.config[key] = resolved->text;
        check_secret(value.at, key, path, *resolved);
    }

    void check_secret(Position at, const std::string& key, const std::string& path,
                      const Resolved& value) {
        if (!is_secret_key(key)) return;
        if (context_.production && is_known_secret(value.text)) {
            context_.problems.add(at, path,
                                  "is the secret of the development configuration; use your own",
                                  config_code::development_only);
        } else {
            check_literal_secret(context_, at, path, value);
        }
    }

    ConfigContext& context_;
    InstanceConfig& out_;
    std::string path_;
};

void read_limits(Section limits, InstanceLimits& out) {
    out.concurrency =
        static_cast<uint32_t>(limits.number("concurrency", out.concurrency, 1, 10'000));
    out.per_second = static_cast<uint32_t>(limits.number("per_second", out.per_second, 0, 100'000));
    out.bulk_per_day =
        static_cast<uint32_t>(limits.number("bulk_per_day", out.bulk_per_day, 0, 10'000'000));
    out.memory_bytes = limits.bytes("memory", out.memory_bytes, 16ull << 20);
    out.files = static_cast<uint32_t>(limits.number("files", out.files, 16, 1'000'000));
    out.drain_timeout = limits.duration("drain_timeout", out.drain_timeout, 0ms, 10min);
    limits.done();
}

void read_restart(Section restart, InstanceRestart& out) {
    out.max = static_cast<uint32_t>(restart.number("max", out.max, 0, 1'000));
    out.per = restart.duration("per", out.per, 1s, 24h);
    restart.done();
}

void read_aliases(Section aliases, InstanceConfig& out) {
    for (const auto& entry : aliases.entries()) {
        out.aliases[entry.key] = aliases.texts(entry.key, {}, path_rule);
    }
    aliases.done();
}

/// What a hub on the internet must not run with.
void check_production(Section& instance, const InstanceConfig& out, ConfigContext& context) {
    if (out.plugin == "sandbox") {
        instance.refuse("plugin", "sandbox is for mode development only",
                        config_code::development_only);
    }
    if (out.signatures == "off") {
        instance.refuse("signatures", "off is for mode development only",
                        config_code::development_only);
    }
    for (const auto& [key, value] : out.config) {
        const size_t name = key.rfind('.') == std::string::npos ? 0 : key.rfind('.') + 1;
        if (key.substr(name).starts_with("insecure_") && value == "true") {
            context.problems.add(out.positions.at(key), instance.path_of("config") + "." + key,
                                 "is for mode development only", config_code::development_only);
        }
    }
}

void read_block(Section& instance, ConfigContext& context, Position entry_at, InstanceConfig& out) {
    const YamlEntry* block = instance.take("config");
    Flattener flattener(context, out, instance.path_of("config"));
    const bool is_map = block && (block->value.kind == YamlNode::Kind::map ||
                                  block->value.kind == YamlNode::Kind::empty);
    if (is_map) return flattener.put_block(block->value, block->at);
    flattener.put_block({}, block ? block->at : entry_at);
    if (!block) return;
    out.unreadable.insert("");
    if (block->value.unreadable) return;
    instance.refuse("config", "expected a map, found " + found(block->value, "config"),
                    config_code::type);
}

InstanceConfig read_instance(Section instance, ConfigContext& context, const YamlEntry& entry) {
    InstanceConfig out;
    out.name = entry.key;
    out.plugin = instance.required_text("plugin");
    out.enabled = instance.flag("enabled", out.enabled);
    out.isolation = instance.choice("isolation", out.isolation, {"auto", "none", "process"});
    out.flow = instance.text("flow");
    out.signatures = instance.choice("signatures", out.signatures, {"required", "observe", "off"});
    out.plugin_at = instance.position_of("plugin");
    out.isolation_at = instance.position_of("isolation");
    out.flow_at = instance.position_of("flow");
    out.single_conversation = instance.flag("single_conversation", out.single_conversation);
    read_aliases(instance.section("aliases"), out);
    read_limits(instance.section("limits"), out.limits);
    read_restart(instance.section("restart"), out.restart);
    read_block(instance, context, entry.at, out);
    if (context.production) check_production(instance, out, context);
    instance.done();
    return out;
}

/// False after a problem: the entry is no instance.
bool check_entry(const YamlEntry& entry, const std::string& path, ConfigContext& context) {
    if (entry.value.unreadable) return false;
    const bool is_map =
        entry.value.kind == YamlNode::Kind::map || entry.value.kind == YamlNode::Kind::empty;
    for (const char* key :
         {"plugin", "enabled", "isolation", "flow", "signatures", "single_conversation"}) {
        if (is_map || entry.key != key) continue;
        context.problems.add(
            entry.at, path, "stands where an instance's name belongs; indent it below the instance",
            config_code::indentation);
        return false;
    }
    if (!is_instance_name(entry.key)) {
        context.problems.add(entry.at, path,
                             "an instance is named with a-z, 0-9, _ and -, a letter first",
                             config_code::name);
    }
    return true;
}

/// Rules between instances: flows exist, no path is taken twice.
class Together {
public:
    Together(const std::vector<InstanceConfig>& all, ConfigContext& context)
        : all_(all), context_(context) {}

    void check_flow(const InstanceConfig& instance) const {
        if (instance.flow.empty()) return;
        std::vector<std::string> names;
        for (const auto& one : all_) {
            if (one.name == instance.flow) return;
            if (one.name != instance.name) names.push_back(one.name);
        }
        const std::string near = nearest(instance.flow, names);
        const std::string place = "plugins." + instance.name + ".flow";
        context_.problems.add(
            instance.flow_at, place,
            "no instance is called " + in_quotes(shown(place, instance.flow)) + suggestion(near),
            config_code::instance, near);
    }

    void check_paths(const InstanceConfig& instance, const YamlNode& aliases) {
        for (const auto& entry : aliases.entries) {
            const auto found = instance.aliases.find(entry.key);
            const auto& items = entry.value.items;
            // Otherwise one of them was refused, and the others cannot be told apart.
            if (found == instance.aliases.end() || found->second.size() != items.size()) continue;
            for (size_t i = 0; i < items.size(); ++i) {
                std::string place = "plugins." + instance.name + ".aliases." + entry.key + "[";
                place += std::to_string(i) + "]";
                check_path(instance, found->second[i], items[i].at, place);
            }
        }
    }

private:
    void check_path(const InstanceConfig& instance, std::string path, Position at,
                    const std::string& place) {
        while (path.size() > 1 && path.ends_with('/')) path.pop_back();
        const std::string said = in_message(shown(place, path));
        for (const std::string_view ours : {"/hooks", "/api/v1", "/health", "/metrics", "/docs"}) {
            if (path != ours && !path.starts_with(std::string(ours) + "/")) continue;
            context_.problems.add(at, place,
                                  said + " belongs to the hub itself; choose another path",
                                  config_code::same_path);
            return;
        }
        const auto [owner, is_new] = owners_.try_emplace(path, instance.name);
        if (is_new) return;
        context_.problems.add(at, place, said + " belongs to plugins." + owner->second + " already",
                              config_code::same_path);
    }
    const std::string& shown(const std::string& place, const std::string& value) const {
        const auto found = context_.shown.find(place);
        return found == context_.shown.end() ? value : found->second;
    }

    const std::vector<InstanceConfig>& all_;
    ConfigContext& context_;
    std::map<std::string, std::string> owners_;
};

}  // namespace

std::vector<InstanceConfig> read_instances(Section plugins, ConfigContext& context) {
    std::vector<InstanceConfig> out;
    for (const auto& entry : plugins.entries()) {
        plugins.take(entry.key);
        if (!check_entry(entry, plugins.path_of(entry.key), context)) continue;
        out.push_back(read_instance(plugins.section(entry.key), context, entry));
    }
    Together together(out, context);
    const YamlNode none;
    for (const auto& instance : out) {
        together.check_flow(instance);
        const YamlNode& node = plugins.take(instance.name)->value;
        const YamlEntry* aliases = node.find("aliases");
        together.check_paths(instance, aliases ? aliases->value : none);
    }
    plugins.done();
    return out;
}

}  // namespace patchbay
