#include "base/json.hpp"
#include "base/time_text.hpp"
#include "config/hub_config.hpp"
#include "config/secrets.hpp"
#include "config/values.hpp"
#include "config/yaml_tree.hpp"

namespace patchbay {
namespace {

/// YAML that reads back to the same configuration, apart from the secrets. JSON strings are YAML
/// strings.
class YamlText {
public:
    /// `shown` has what to print instead of values with secrets in them, by path.
    explicit YamlText(const std::map<std::string, std::string>& shown) : shown_(shown) {}

    void open(const std::string& key) {
        line(key_text(key) + ":");
        path_.push_back(key);
    }
    void close() { path_.pop_back(); }
    void text(const std::string& key, const std::string& value) {
        line(key_text(key) + ": " + quote(without_password(shown_value(key, value))));
    }
    void plain(const std::string& key, const std::string& value) {
        line(key_text(key) + ": " + value);
    }
    void texts(const std::string& key, const std::vector<std::string>& values) {
        std::string out;
        for (size_t i = 0; i < values.size(); ++i) {
            std::string item = key + "[";
            item += std::to_string(i) + "]";
            out += (i == 0 ? "" : ", ") + quote(shown_value(item, values[i]));
        }
        line(key_text(key) + ": [" + out + "]");
    }
    std::string take() { return std::move(out_); }

private:
    static std::string quote(std::string_view value) {
        std::string out;
        append_json_string(out, value);
        return out;
    }
    /// Quoted unless it is a word that reads back as it is.
    static std::string key_text(const std::string& key) {
        const bool is_word = !key.empty() && ambiguous_kind(key).empty() &&
                             key.find_first_not_of(
                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_-") == std::string::npos &&
                             key.front() != '-';
        return is_word ? key : quote(key);
    }
    const std::string& shown_value(const std::string& key, const std::string& value) const {
        std::string path;
        for (const auto& one : path_) path += one + ".";
        const auto found = shown_.find(path + key);
        return found == shown_.end() ? value : found->second;
    }
    void line(const std::string& text) { out_ += std::string(path_.size() * 2, ' ') + text + "\n"; }

    const std::map<std::string, std::string>& shown_;
    std::string out_;
    std::vector<std::string> path_;
};

/// A value of a plugin's block: the flattened keys put together again.
struct Value {
    std::optional<std::string> text{};
    bool is_list = false;
    size_t count = 0;  ///< Items of a list; an empty item has no key of its own.
    std::vector<std::pair<std::string, Value>> members{};

    Value& member(const std::string& name) {
        for (auto& [known, value] : members) {
            if (known == name) return value;
        }
        members.emplace_back(name, Value{});
        return members.back().second;
    }
    const Value* find(const std::string& name) const {
        for (const auto& [known, value] : members) {
            if (known == name) return &value;
        }
        return nullptr;
    }
};

/// "rules[1].reply" -> rules, 1, reply. "rules[]" ends in an empty name.
std::vector<std::string> parts_of(const std::string& key) {
    std::vector<std::string> parts{""};
    for (const char c : key) {
        if (c == '.' || c == '[') {
            parts.emplace_back();
        } else if (c != ']') {
            parts.back() += c;
        }
    }
    return parts;
}

std::string shown_value(const InstanceConfig& instance, const std::string& key,
                        const std::string& text) {
    const auto shown = instance.shown.find(key);
    if (is_secret_key(key) && !text.empty()) return std::string(hidden_secret);
    return without_password(shown == instance.shown.end() ? text : shown->second);
}

Value nested(const InstanceConfig& instance) {
    Value root;
    for (const auto& [key, text] : instance.config) {
        Value* at = &root;
        const auto parts = parts_of(key);
        const bool is_count = key.ends_with("[]");
        for (size_t i = 0; i + is_count < parts.size(); ++i) at = &at->member(parts[i]);
        if (is_count) {
            at->is_list = true;
            at->count = std::stoul(text);
        } else {
            at->text = shown_value(instance, key, text);
        }
    }
    return root;
}

JsonValue json_of(const Value& value) {
    if (value.text) return *value.text;
    if (value.is_list) {
        JsonArray list = make_array();
        // By name, since the flattened keys come in the order of texts: 10 before 2.
        for (size_t i = 0; i < value.count; ++i) {
            const Value* item = value.find(std::to_string(i));
            list->add(item ? json_of(*item) : JsonValue(make_object()));
        }
        return list;
    }
    JsonObject object = make_object();
    for (const auto& [name, member] : value.members) object->set(name, json_of(member));
    return object;
}

void show_members(YamlText& out, const Value& value) {
    for (const auto& [name, member] : value.members) {
        if (member.text) {
            out.text(name, *member.text);
        } else if (member.is_list) {
            out.plain(name, to_json(json_of(member)));
        } else {
            out.open(name);
            show_members(out, member);
            out.close();
        }
    }
}

std::vector<std::string> hidden(size_t count) {
    return std::vector<std::string>(count, std::string(hidden_secret));
}

void show_server(YamlText& out, const HubConfig& config) {
    out.open("server");
    out.text("listen", config.server.listen);
    const auto& written = config.server.written_public_url;
    out.text("public_url", written.empty() ? config.server.public_url : written);
    out.texts("trusted_proxies", config.server.trusted_proxies);
    out.texts("cors_origins", config.server.cors_origins);
    out.texts("allowed_hosts", config.server.allowed_hosts);
    out.open("tls");
    out.text("certificate", config.server.tls.certificate);
    out.text("key", config.server.tls.key);  // A path, not the key itself.
    out.close();
    out.open("limits");
    out.plain("connections", std::to_string(config.server.limits.connections));
    out.plain("connections_per_address",
              std::to_string(config.server.limits.connections_per_address));
    out.close();
    out.close();
}

void show_url(YamlText& out, const std::string& section, const std::string& url) {
    out.open(section);
    out.text("url", url);
    out.close();
}

void show_instance(YamlText& out, const InstanceConfig& instance) {
    out.open(instance.name);
    out.text("plugin", instance.plugin);
    out.plain("enabled", instance.enabled ? "true" : "false");
    out.text("isolation", instance.isolation);
    out.text("flow", instance.flow);
    out.text("signatures", instance.signatures);
    out.plain("single_conversation", instance.single_conversation ? "true" : "false");
    if (!instance.aliases.empty()) {
        out.open("aliases");
        for (const auto& [route, paths] : instance.aliases) out.texts(route, paths);
        out.close();
    }
    out.open("limits");
    out.plain("concurrency", std::to_string(instance.limits.concurrency));
    out.plain("per_second", std::to_string(instance.limits.per_second));
    out.plain("bulk_per_day", std::to_string(instance.limits.bulk_per_day));
    out.plain("memory", size_text(instance.limits.memory_bytes));
    out.plain("files", std::to_string(instance.limits.files));
    out.plain("drain_timeout", duration_text(instance.limits.drain_timeout));
    out.close();
    out.open("restart");
    out.plain("max", std::to_string(instance.restart.max));
    out.plain("per", duration_text(instance.restart.per));
    out.close();
    out.open("config");
    show_members(out, nested(instance));
    out.close();
    out.close();
}

}  // namespace

std::string show_config(const HubConfig& config) {
    YamlText out(config.shown);
    out.text("mode", config.mode);
    out.plain("strict", config.strict ? "true" : "false");
    show_server(out, config);
    show_url(out, "store", config.store.url);
    show_url(out, "realtime", config.realtime.url);
    show_url(out, "media", config.media.url);
    out.open("log");
    out.text("level", config.log.level);
    out.text("format", config.log.format);
    out.text("access", config.log.access);
    out.text("file", config.log.file);
    out.close();
    out.open("auth");
    // One that the first start will make counts too.
    const size_t keys = config.auth.token_keys.size() + !config.auth.missing_key_file.empty();
    out.texts("token_keys", hidden(keys));
    out.plain("token_ttl", duration_text(config.auth.token_ttl));
    out.close();
    out.texts("departments", config.departments);
    std::vector<std::string> folders;
    for (const auto& folder : config.plugin_path) folders.push_back(folder.string());
    out.texts("plugin_path", folders);
    out.text("rules", config.rules.string());
    out.text("flows", config.flows.string());
    out.open("plugins");
    for (const auto& instance : config.plugins) show_instance(out, instance);
    out.close();
    return out.take();
}

}  // namespace patchbay
