#include "config/json_schema.hpp"

#include <gtest/gtest.h>

#include "config/yaml_tree.hpp"

namespace patchbay {
namespace {

using detail::SchemaKey;
using detail::ValueType;

std::set<std::string> paths_of(const detail::Schema& schema) {
    std::set<std::string> paths;
    for (const auto& key : schema.keys) paths.insert(key.key);
    return paths;
}

/// Keys of a file as the schema calls them, without the plugins' own.
void collect(const YamlNode& node, const std::string& path, std::set<std::string>& out) {
    for (const auto& entry : node.entries) {
        const bool is_instance = path == "plugins";
        const std::string below =
            path.empty() ? entry.key : path + "." + (is_instance ? "any" : entry.key);
        if (below == "plugins.any.config" || below == "plugins.any.aliases") continue;
        out.insert(below);
        collect(entry.value, below, out);
    }
}

TEST(JsonSchema, HasEveryKeyOfTheShippedConfigurations) {
    const auto known = paths_of(hub_schema());
    for (const char* name : {"patchbay.yaml", "production.yaml"}) {
        const std::string text =
            read_config_file(std::filesystem::path(PATCHBAY_SOURCE_DIR) / "config" / name);
        ConfigProblems problems(name);
        std::set<std::string> used;
        collect(read_yaml(text, problems).root, "", used);
        for (const auto& key : used) EXPECT_TRUE(known.contains(key)) << key << " of " << name;
    }
}

TEST(JsonSchema, TellsWhatTheReaderChecks) {
    const JsonObject schema = json_schema({});
    EXPECT_EQ(text_at(schema, "properties.mode.anyOf.0.enum.1"), "production");
    EXPECT_EQ(text_at(schema, "properties.server.properties.listen.default"), "127.0.0.1:8000");
    const std::string limits =
        "properties.server.properties.limits.properties.connections.anyOf.0.";
    EXPECT_EQ(int_at(schema, limits + "minimum"), 1);
    EXPECT_EQ(int_at(schema, limits + "maximum"), 1'000'000);
    const std::string instance = "properties.plugins.additionalProperties.";
    EXPECT_EQ(text_at(schema, instance + "required.0"), "plugin");
    EXPECT_EQ(text_at(schema, instance + "additionalProperties"), "false");
}

TEST(JsonSchema, HasTheBlockOfEachPlugin) {
    const detail::Schema plugin{
        {SchemaKey{.key = "token", .type = ValueType::secret, .about = "Signs", .required = true},
         SchemaKey{.key = "rules", .type = ValueType::sections},
         SchemaKey{.key = "rules[].reply", .required = true},
         SchemaKey{.key = "sheets", .type = ValueType::named_sections},
         SchemaKey{.key = "sheets.*.range"}, SchemaKey{.key = "verify", .type = ValueType::section},
         SchemaKey{.key = "verify.on", .type = ValueType::boolean, .fallback = "true"}}};
    const JsonObject schema = json_schema({{"sms", plugin}});
    const std::string rule = "properties.plugins.additionalProperties.allOf.0.";
    EXPECT_EQ(text_at(schema, rule + "if.properties.plugin.const"), "sms");
    const std::string block = rule + "then.properties.config.";
    EXPECT_EQ(text_at(schema, block + "required.0"), "token");
    EXPECT_EQ(text_at(schema, block + "properties.token.description"), "Signs");
    EXPECT_EQ(text_at(schema, block + "properties.rules.items.required.0"), "reply");
    EXPECT_EQ(
        text_at(schema, block + "properties.sheets.additionalProperties.properties.range.type"),
        "string");
    EXPECT_EQ(text_at(schema, block + "properties.verify.properties.on.default"), "true");
}

}  // namespace
}  // namespace patchbay
