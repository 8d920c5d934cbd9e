// The tests that every plugin gets for nothing. Compiled into each plugin's test program;
// PATCHBAY_PLUGIN_NAME and PATCHBAY_PLUGIN_FOLDER say whose.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <patchbay/testing.hpp>

#include "config/hub_config.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {
namespace {

const std::string plugin_name = PATCHBAY_PLUGIN_NAME;
const std::filesystem::path plugin_folder = PATCHBAY_PLUGIN_FOLDER;

std::string text_of(const std::string& name) {
    std::ifstream file(plugin_folder / name);
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
std::vector<InstanceConfig> sample_instances() {
    const std::string text = text_of("sample.yaml");
    set_missing_variables(text);
    const HubConfig config = parse_config(text, plugin_folder / "sample.yaml");
    std::vector<InstanceConfig> mine;
    std::copy_if(config.plugins.begin(), config.plugins.end(), std::back_inserter(mine),
                 [](const InstanceConfig& one) { return one.plugin == plugin_name; });
    EXPECT_FALSE(mine.empty()) << "sample.yaml has no instance of " << plugin_name;
    return mine;
}

std::vector<std::string> listed(const YAML::Node& plugin, const char* key) {
    std::vector<std::string> names;
    for (const auto& one : plugin[key])
        names.push_back(one.IsMap() ? one["name"].as<std::string>() : one.as<std::string>());
    return names;
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
    for (const InstanceConfig& instance : sample_instances()) {
        SCOPED_TRACE(instance.name);
        EXPECT_NO_THROW(ChannelUnderTest(plugin_name, instance.config));
    }
}

TEST(EveryPlugin, QuotesItsSampleInItsReadme) {
    const std::string sample = text_of("sample.yaml");
    EXPECT_NE(text_of("README.md").find(sample), std::string::npos)
        << "README.md does not contain sample.yaml as it is";
}

TEST(EveryPlugin, TurnsAnUnsignedRequestAway) {
    for (const InstanceConfig& instance : sample_instances()) {
        ChannelUnderTest channel(plugin_name, instance.config);
        if (!channel.provides(WebhookHandler::interface_id)) continue;
        for (const Route& route : channel.routes())
            expect_protected(channel, route, instance.config);
    }
}

TEST(EveryPlugin, IsWhatItsPluginYamlSays) {
    const YAML::Node plugin = YAML::Load(text_of("plugin.yaml"));
    EXPECT_EQ(plugin["name"].as<std::string>(), plugin_name);
    for (const char* key : {"kind", "title", "status", "sdk"})
        EXPECT_TRUE(plugin[key]) << key << " is missing";
    for (const InstanceConfig& instance : sample_instances()) {
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
    const YAML::Node plugin = YAML::Load(text_of("plugin.yaml"));
    for (const InstanceConfig& instance : sample_instances()) {
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
