// The tests that every plugin gets for nothing. Compiled into each plugin's test program;
// PATCHBAY_PLUGIN_NAME and PATCHBAY_PLUGIN_FOLDER say whose.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <patchbay/detail/schema.hpp>
#include <patchbay/testing.hpp>

#include "bench.hpp"

namespace patchbay {
namespace {

const std::string plugin_name = PATCHBAY_PLUGIN_NAME;
const std::string plugin_folder = PATCHBAY_PLUGIN_FOLDER;

std::string text_of(const std::string& name) {
    std::ifstream file(plugin_folder + "/" + name);
    EXPECT_TRUE(file) << name << " is missing";
    return {std::istreambuf_iterator<char>(file), {}};
}

// A sample may take values from the environment: what is not set gets a word that says so.
void set_missing_variables(const std::string& text) {
    const std::string mark = "${env:";
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
        const size_t begin = at + mark.size();
        const std::string name = text.substr(begin, text.find_first_of(":}", begin) - begin);
        ::setenv(name.c_str(), ("sample-" + name).c_str(), 0);
    }
}

// The instances of this plugin in its sample.yaml.
std::vector<bench::Sample> sample_instances() {
    set_missing_variables(text_of("sample.yaml"));
    auto mine =
        Bench().ask<std::vector<bench::Sample>>(bench::samples, plugin_folder + "/sample.yaml");
    std::erase_if(mine, [](const bench::Sample& one) { return one.plugin != plugin_name; });
    EXPECT_FALSE(mine.empty()) << "sample.yaml has no instance of " << plugin_name;
    return mine;
}

// plugin.yaml: of a list its count under "routes[]" and its items under "routes[0]".
Labels manifest() { return Bench().ask<Labels>(bench::manifest, plugin_folder + "/plugin.yaml"); }

std::vector<std::string> listed(const Labels& plugin, const std::string& key) {
    std::vector<std::string> names;
    for (auto at = plugin.find(key + "[0]"); at != plugin.end();
         at = plugin.find(key + "[" + std::to_string(names.size()) + "]"))
        names.push_back(at->second);
    return names;
}

// What a key takes, in words.
std::string value_words(const detail::SchemaKey& key) {
    using detail::ValueType;
    std::string words;
    switch (key.type) {
        case ValueType::text:
            return "text";
        case ValueType::secret:
            return "secret";
        case ValueType::integer:
            return "whole number";
        case ValueType::boolean:
            return "true or false";
        case ValueType::duration:
            return "duration, such as 10s";
        case ValueType::choice:
            for (const std::string& choice : key.choices)
                words += (words.empty() ? "`" : ", `") + choice + "`";
            return words;
        case ValueType::list:
            return "list of texts";
        case ValueType::map:
            return "texts by name";
        case ValueType::section:
            return "the keys below";
        case ValueType::sections:
            return "list of the keys below";
        case ValueType::named_sections:
            return "the keys below, by name";
    }
    return "";
}

// The table of a README: one row for each key, with the texts that editors show.
std::string table_of(const detail::Schema& schema) {
    std::string table = "| key | takes | default | |\n|---|---|---|---|\n";
    for (const detail::SchemaKey& key : schema.keys) {
        std::string about = key.about;
        for (size_t at = about.find('|'); at != std::string::npos; at = about.find('|', at + 2))
            about.insert(at, "\\");
        const std::string fallback = key.fallback.empty() ? "none" : "`" + key.fallback + "`";
        table += "| `" + key.key + "` | " + value_words(key) + " | " +
                 (key.required ? "required" : fallback) + " | " + about + " |\n";
    }
    return table;
}

// Each scheme needs a secret that the configuration has; without one there must be nothing to sign.
void expect_protected(ChannelUnderTest& channel, const Route& route, const Labels& config) {
    SCOPED_TRACE("route " + route.name);
    switch (route.signature) {
        case Signature::none:
            // A provider's handshake carries its proof in the query, and respond() looks at it.
            EXPECT_TRUE(route.answering == Answering::computed &&
                        route.methods == std::vector<std::string>{"GET"})
                << "anybody can post to it";
            return;
        case Signature::custom:
            EXPECT_FALSE(channel.is_authentic({.route = route.name, .body = "{}"}));
            return;
        default:
            ASSERT_FALSE(route.secret.empty()) << "a signature without the key of its secret";
            EXPECT_TRUE(config.contains(route.secret))
                << "sample.yaml has no \"" << route.secret << "\"";
            EXPECT_FALSE(route.signature == Signature::shared_header && route.header.empty());
    }
}

TEST(EveryPlugin, StartsWithEachInstanceOfItsSample) {
    for (const bench::Sample& instance : sample_instances()) {
        SCOPED_TRACE(instance.instance);
        EXPECT_NO_THROW(ChannelUnderTest(plugin_name, instance.config));
    }
}

TEST(EveryPlugin, QuotesItsSampleInItsReadme) {
    const std::string sample = text_of("sample.yaml");
    EXPECT_NE(text_of("README.md").find(sample), std::string::npos)
        << "README.md does not contain sample.yaml as it is";
}

TEST(EveryPlugin, TellsItsKeysInItsReadmeAsItsSchemaDoes) {
    const auto samples = sample_instances();
    ASSERT_FALSE(samples.empty());
    const ChannelUnderTest channel(plugin_name, samples[0].config);
    const std::string table = table_of(channel.config_schema());
    EXPECT_NE(text_of("README.md").find(table), std::string::npos)
        << "README.md does not contain this table as it is:\n"
        << table;
}

TEST(EveryPlugin, TurnsAnUnsignedRequestAway) {
    for (const bench::Sample& instance : sample_instances()) {
        ChannelUnderTest channel(plugin_name, instance.config);
        if (!channel.provides(WebhookHandler::interface_id)) continue;
        for (const Route& route : channel.routes())
            expect_protected(channel, route, instance.config);
    }
}

TEST(EveryPlugin, IsWhatItsPluginYamlSays) {
    const Labels plugin = manifest();
    EXPECT_EQ(plugin.at("name"), plugin_name);
    for (const char* key : {"kind", "title", "status", "sdk"})
        EXPECT_TRUE(plugin.contains(key)) << key << " is missing";
    for (const bench::Sample& instance : sample_instances()) {
        ChannelUnderTest channel(plugin_name, instance.config);
        if (!channel.provides(WebhookHandler::interface_id)) continue;
        std::vector<std::string> routes;
        for (const Route& route : channel.routes())
            if (std::find(routes.begin(), routes.end(), route.name) == routes.end())
                routes.push_back(route.name);
        EXPECT_EQ(listed(plugin, "routes"), routes);
    }
}

// Calls everything a provider or the hub can, with good and bad answers; what it says does not
// matter here.
void exercise(ChannelUnderTest& channel) {
    const auto quietly = [](auto work) {
        try {
            work();
        } catch (const Error&) {
        }
    };
    const OutboundMessage message{.id = "m1",
                                  .text = "hello",
                                  .to = Address::phone("+15005550009"),
                                  .from = Address::phone("+15005550006")};
    const Mark mark{.provider_id = "p1", .to = message.to, .from = message.from};
    for (const int status : {200, 400, 401, 429, 500}) {
        channel.provider_answers(
            status, R"({"sid":"X1","code":1,"message":"no","error":{"code":1,"message":"no"}})");
        quietly([&] { channel.send(message); });
        quietly([&] { channel.look_up(message); });
        quietly([&] { channel.list_since(0); });
        quietly([&] { channel.mark_read(mark); });
        quietly([&] { channel.health(); });
    }
    quietly([&] {
        for (const Route& route : channel.routes())
            for (const char* body : {"", "{}", "a=1", "\xFF", "[1,2"}) {
                quietly([&] { channel.receive(route.name, body); });
                quietly(
                    [&] { channel.respond({.route = route.name, .method = "GET", .body = body}); });
            }
    });
}

TEST(EveryPlugin, KeepsTheSecretsOfItsPluginYamlToItself) {
    const Labels plugin = manifest();
    for (const bench::Sample& instance : sample_instances()) {
        ChannelUnderTest channel(plugin_name, instance.config);
        exercise(channel);
        std::string said;
        for (const LogLine& line : channel.log()) {
            said += line.text + "\n";
            for (const auto& [name, value] : line.fields) said += name + "=" + value + "\n";
        }
        for (const std::string& label : channel.labels()) said += label + "\n";
        for (const ProviderRequest& request : channel.provider_requests())
            said += request.url + "\n";
        for (const std::string& key : listed(plugin, "secrets")) {
            const auto value = instance.config.find(key);
            if (value == instance.config.end() || value->second.size() < 6) continue;
            EXPECT_EQ(said.find(value->second), std::string::npos)
                << key << " is in a log line, a label or a URL";
        }
    }
}

}  // namespace
}  // namespace patchbay
