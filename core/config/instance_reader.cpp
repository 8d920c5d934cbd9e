#include "config/instance_reader.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

/// Values of the shipped development configuration; known to everybody, so no secret (production
/// refuses them).
constexpr std::string_view default_secrets[] = {"sandbox_auth_token", "sandbox_api_secret",
                                                "change-me", "changeme", "secret"};

bool is_instance_name(std::string_view name) {
    if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") ==
           std::string_view::npos;
}

/// Copies a plugin's block into InstanceConfig::config and its companions.
class Flattener {
public:
    Flattener(ConfigContext& context, InstanceConfig& out, std::string path)
        : context_(context), out_(out), path_(std::move(path)) {}

    void put(const std::string& key, const YamlNode& value, Position key_at) {
        out_.key_positions[key] = key_at;
        out_.positions[key] = value.kind == YamlNode::Kind::scalar ? value.at : key_at;
        switch (value.kind) {
            case YamlNode::Kind::scalar:
                return put_text(key, value);
            case YamlNode::Kind::map:
                for (const auto& entry : value.entries) {
                    put(key.empty() ? entry.key : key + "." + entry.key, entry.value, entry.at);
                }
                return;
            case YamlNode::Kind::list:
                out_.config[key + "[]"] = std::to_string(value.items.size());
                for (size_t i = 0; i < value.items.size(); ++i) {
                    put(key + "[" + std::to_string(i) + "]", value.items[i], value.items[i].at);
                }
                return;
            case YamlNode::Kind::empty:
                if (key.empty()) return;  // "config:" with nothing below it.
                context_.problems.add(key_at, path_ + "." + key,
                                      "has no value; write \"\" for an empty text");
        }
    }

private:
    void put_text(const std::string& key, const YamlNode& value) {
        bool changed = false;
        const auto text = resolve_text(context_, value, path_ + "." + key, &changed);
        if (!text) return;
        if (value.plain && !changed) out_.unquoted.insert(key);
        out_.config[key] = *text;
    }

    ConfigContext& context_;
    InstanceConfig& out_;
    std::string path_;
};

void read_limits(Section limits, InstanceLimits& out) {
    out.concurrency =
        static_cast<uint32_t>(limits.number("concurrency", out.concurrency, 1, 10'000));
    out.per_second = static_cast<uint32_t>(limits.number("per_second", out.per_second, 0, 100'000));
    out.memory_bytes = limits.bytes("memory", out.memory_bytes, 16ull << 20);
    out.files = static_cast<uint32_t>(limits.number("files", out.files, 16, 1'000'000));
    out.drain_timeout = limits.duration("drain_timeout", out.drain_timeout, 0ms, 10min);
    limits.done();
}

void read_aliases(Section aliases, InstanceConfig& out) {
    for (const auto& entry : aliases.entries()) {
        for (const auto& path : aliases.texts(entry.key)) {
            if (!path.starts_with('/')) {
                aliases.refuse(entry.key,
                               "expected absolute paths such as \"/webhooks/sms/\", "
                               "found \"" +
                                   path + "\"");
            }
            out.aliases[entry.key].push_back(path);
        }
    }
    aliases.done();
}

/// What a hub on the internet must not run with.
void check_production(Section& instance, const InstanceConfig& out, ConfigContext& context) {
    if (out.plugin == "sandbox") instance.refuse("plugin", "sandbox is for mode development only");
    if (out.signatures == "off") {
        instance.refuse("signatures", "off is for mode development only");
    }
    for (const auto& [key, value] : out.config) {
        const std::string path = instance.path_of("config") + "." + key;
        const bool known = std::find(std::begin(default_secrets), std::end(default_secrets),
                                     value) != std::end(default_secrets);
        if (is_secret_key(key) && known) {
            context.problems.add(out.positions.at(key), path,
                                 "is the secret of the development configuration; use your own");
        }
        const size_t name = key.rfind('.') == std::string::npos ? 0 : key.rfind('.') + 1;
        if (key.substr(name).starts_with("insecure_") && value == "true") {
            context.problems.add(out.positions.at(key), path, "is for mode development only");
        }
    }
}

InstanceConfig read_instance(Section instance, ConfigContext& context, const YamlEntry& entry) {
    InstanceConfig out;
    out.name = entry.key;
    out.plugin = instance.required_text("plugin");
    out.enabled = instance.flag("enabled", out.enabled);
    out.isolation = instance.choice("isolation", out.isolation, {"none", "process"});
    out.flow = instance.text("flow");
    out.signatures = instance.choice("signatures", out.signatures, {"required", "observe", "off"});
    read_aliases(instance.section("aliases"), out);
    read_limits(instance.section("limits"), out.limits);
    const YamlEntry* block = instance.take("config");
    Flattener flattener(context, out, instance.path_of("config"));
    if (block && block->value.kind == YamlNode::Kind::scalar) {
        instance.refuse("config", "expected a map, found \"" + block->value.text + "\"");
    } else if (block) {
        flattener.put("", block->value, block->at);
    } else {
        out.positions[""] = out.key_positions[""] = entry.at;
    }
    if (context.production) check_production(instance, out, context);
    instance.done();
    return out;
}

const InstanceConfig* named(const std::vector<InstanceConfig>& all, const std::string& name) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const InstanceConfig& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

/// Rules between instances: flows exist, no path is taken twice.
void check_together(Section& plugins, const std::vector<InstanceConfig>& all,
                    ConfigContext& context) {
    std::vector<std::string> names;
    for (const auto& instance : all) names.push_back(instance.name);
    std::map<std::string, std::string> owners;
    for (const auto& instance : all) {
        const YamlNode& node = plugins.take(instance.name)->value;
        if (!instance.flow.empty() && !named(all, instance.flow)) {
            const std::string near = nearest(instance.flow, names);
            context.problems.add(node.find("flow")->value.at, "plugins." + instance.name + ".flow",
                                 "no instance is called \"" + instance.flow + "\"" +
                                     (near.empty() ? "" : ", did you mean \"" + near + "\"?"));
        }
        for (const auto& [route, paths] : instance.aliases) {
            for (std::string path : paths) {
                while (path.size() > 1 && path.ends_with('/')) path.pop_back();
                const auto [owner, fresh] = owners.try_emplace(path, instance.name);
                if (fresh) continue;
                context.problems.add(node.find("aliases")->value.find(route)->value.at,
                                     "plugins." + instance.name + ".aliases." + route,
                                     path + " belongs to plugins." + owner->second + " already");
            }
        }
    }
}

}  // namespace

std::vector<InstanceConfig> read_instances(Section plugins, ConfigContext& context) {
    std::vector<InstanceConfig> out;
    for (const auto& entry : plugins.entries()) {
        if (!is_instance_name(entry.key)) {
            context.problems.add(entry.at, plugins.path_of(entry.key),
                                 "an instance is named with a-z, 0-9, _ and -, a letter first");
        }
        out.push_back(read_instance(plugins.section(entry.key), context, entry));
    }
    check_together(plugins, out, context);
    plugins.done();
    return out;
}

}  // namespace patchbay
