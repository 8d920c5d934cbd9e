#include "config/json_schema.hpp"

#include <limits>

#include "config/hub_reader.hpp"
#include "config/instance_reader.hpp"

namespace patchbay {
namespace {

using detail::Schema;
using detail::SchemaKey;
using detail::ValueType;

/// Every value may be put together from outside.
constexpr const char* placeholder_pattern = R"(\$\{(env|file):)";
constexpr const char* draft = "http://json-schema.org/draft-07/schema#";
constexpr const char* duration_pattern = R"(^[0-9]+(ms|s|m|h|d)$)";

JsonObject pair(const char* name, const JsonValue& value) {
    JsonObject object = make_object();
    object->set(name, value);
    return object;
}

JsonObject text_like(const char* pattern) {
    JsonObject text = pair("type", "string");
    text->set("pattern", pattern);
    return text;
}

JsonObject or_placeholder(const JsonObject& value) {
    JsonArray both = make_array();
    both->add(value);
    both->add(text_like(placeholder_pattern));
    return pair("anyOf", both);
}

JsonObject number(const SchemaKey& key) {
    JsonObject value = pair("type", "integer");
    if (key.min != std::numeric_limits<int64_t>::min()) value->set("minimum", key.min);
    if (key.max != std::numeric_limits<int64_t>::max()) value->set("maximum", key.max);
    return value;
}

JsonObject choice(const SchemaKey& key) {
    JsonArray words = make_array();
    for (const auto& word : key.choices) words->add(word);
    return pair("enum", words);
}

JsonObject list_of(const JsonObject& item) {
    JsonObject list = pair("type", "array");
    list->set("items", item);
    return list;
}

JsonObject map_of(const JsonObject& value) {
    JsonObject map = pair("type", "object");
    map->set("additionalProperties", value);
    return map;
}

JsonValue fallback_of(const SchemaKey& key) {
    if (key.type == ValueType::boolean) return key.fallback == "true";
    if (const auto count = detail::parse_integer(key.fallback);
        count && key.type == ValueType::integer) {
        return *count;
    }
    return key.fallback;
}

/// Builds the tree that the flat keys of a schema describe.
class Builder {
public:
    explicit Builder(const Schema& schema) : schema_(schema) {}

    /// What stands below `prefix`, "" or "verify.".
    JsonObject object(const std::string& prefix) const {
        JsonObject properties = make_object();
        JsonArray required = make_array();
        for (const SchemaKey& key : schema_.keys) {
            if (!key.key.starts_with(prefix)) continue;
            const std::string name = key.key.substr(prefix.size());
            if (name.empty() || name.find_first_of(".[*") != std::string::npos) continue;
            properties->set(name, described(key));
            if (key.required) required->add(name);
        }
        JsonObject object = pair("type", "object");
        object->set("properties", properties);
        object->set("additionalProperties", false);
        if (required->size() > 0) object->set("required", required);
        return object;
    }

private:
    JsonObject described(const SchemaKey& key) const {
        JsonObject value = value_of(key);
        if (!key.about.empty()) value->set("description", key.about);
        if (!key.fallback.empty()) value->set("default", fallback_of(key));
        return value;
    }

    JsonObject value_of(const SchemaKey& key) const {
        switch (key.type) {
            case ValueType::text:
            case ValueType::secret:
                return pair("type", "string");
            case ValueType::integer:
                return or_placeholder(number(key));
            case ValueType::boolean:
                return or_placeholder(pair("type", "boolean"));
            case ValueType::duration:
                return or_placeholder(text_like(duration_pattern));
            case ValueType::choice:
                return or_placeholder(choice(key));
            default:
                return container(key);
        }
    }

    JsonObject container(const SchemaKey& key) const {
        switch (key.type) {
            case ValueType::list:
                return list_of(pair("type", "string"));
            case ValueType::sections:
                return list_of(object(key.key + "[]."));
            case ValueType::named_sections:
                return map_of(object(key.key + ".*."));
            case ValueType::section:
                return object(key.key + ".");
            default:
                return map_of(pair("type", "string"));
        }
    }

    const Schema& schema_;
};

/// {"if": {plugin is NAME}, "then": {config is SCHEMA}}
JsonObject rule_for(const std::string& plugin, const Schema& schema) {
    const JsonObject block = Builder(schema).object("");
    JsonObject then = pair("properties", pair("config", block));
    if (block->has("required")) {
        JsonArray required = make_array();
        required->add("config");
        then->set("required", required);
    }
    JsonObject rule = pair("if", pair("properties", pair("plugin", pair("const", plugin))));
    rule->set("then", then);
    return rule;
}

JsonObject instance_schema(const Schema& hub, const std::map<std::string, Schema>& plugins) {
    JsonObject instance = Builder(hub).object("plugins.any.");
    JsonArray names = make_array(), rules = make_array();
    for (const auto& [name, schema] : plugins) {
        names->add(name);
        rules->add(rule_for(name, schema));
    }
    JsonObject properties = instance->getObject("properties");
    properties->set("plugin", pair("enum", names));
    properties->set("aliases", map_of(list_of(pair("type", "string"))));
    properties->set("config", pair("type", "object"));
    if (rules->size() > 0) instance->set("allOf", rules);
    return instance;
}

}  // namespace

Schema hub_schema() {
    ConfigProblems ignored("");
    HubConfig config;
    Schema schema;
    ConfigContext context{"/nonexistent", false, false, ignored, config.shown, &schema};
    const YamlDocument document = read_yaml("plugins: {any: {plugin: any}}", ignored);
    read_hub(document.root, context, config);
    schema.keys.push_back({.key = "auth.token_keys", .type = ValueType::list});
    return schema;
}

JsonObject block_schema(const Schema& plugin) {
    JsonObject schema = make_object();
    schema->set("$schema", draft);
    const JsonObject block = Builder(plugin).object("");
    for (const auto& name : block->getNames()) schema->set(name, block->get(name));
    return schema;
}

JsonObject json_schema(const std::map<std::string, Schema>& plugins) {
    const Schema hub = hub_schema();
    JsonObject schema = make_object();
    schema->set("$schema", draft);
    schema->set("title", "Patchbay configuration");
    const JsonObject root = Builder(hub).object("");
    root->getObject("properties")->set("plugins", map_of(instance_schema(hub, plugins)));
    for (const auto& name : root->getNames()) schema->set(name, root->get(name));
    return schema;
}

}  // namespace patchbay
