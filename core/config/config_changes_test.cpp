#include "config/config_changes.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

const std::string base = R"(
server: {listen: "127.0.0.1:8000", public_url: "http://127.0.0.1:8000"}
auth: {token_keys: ["0123456789abcdef0123456789abcdef"]}
plugins:
  sms:
    plugin: twilio_sms
    config: {account_sid: AC1, rules: [{contains: a}], sheets: {guests: {range: A1}}}
)";

HubConfig parsed(std::string text, const std::string& what = "", const std::string& by = "") {
    if (!what.empty()) text.replace(text.find(what), what.size(), by);
    return parse_config(text, "/tmp/patchbay.yaml");
}

using Paths = std::vector<std::string>;

TEST(ConfigChanges, OfTheHubAreToldByPathAndByWhatTheyTake_G21) {
    const HubConfig before = parsed(base);
    const HubChanges none = changes_of(before, parsed(base));
    EXPECT_EQ(none.in_place, Paths{});
    EXPECT_EQ(none.restart, Paths{});

    HubConfig after = parsed(base, "127.0.0.1:8000", "127.0.0.1:8001");
    after.departments = {"Reception"};
    after.log.level = "debug";
    after.server.cors_origins = {"https://x.example"};
    after.store.url = "sqlite:other.db";
    after.auth.token_keys = {"another key of at least thirty-two"};
    const HubChanges changes = changes_of(before, after);
    EXPECT_EQ(changes.in_place, (Paths{"departments", "log.level", "server.cors_origins"}));
    EXPECT_EQ(changes.restart, (Paths{"server.listen", "store.url", "auth.token_keys"}));
}

TEST(ConfigChanges, OfTheKeyThatAFirstStartMakesAreNone) {
    HubConfig before = parsed(base);
    before.auth = {.token_keys = {}, .missing_key_file = "var/token.key"};
    EXPECT_EQ(changes_of(before, parsed(base)).restart, Paths{});
}

TEST(ConfigChanges, OfAnInstanceAreTheKeysThatAreDifferent) {
    const InstanceConfig before = parsed(base).plugins[0];
    const auto after = [&](const std::string& what, const std::string& by) {
        return changed_keys(before, parsed(base, what, by).plugins[0]);
    };
    EXPECT_EQ(after("AC1", "AC1"), Paths{});
    EXPECT_EQ(after("AC1", "AC2"), Paths{"config.account_sid"});
    EXPECT_EQ(after("contains: a", "contains: b"), Paths{"config.rules[0].contains"});
    EXPECT_EQ(after("range: A1", "range: A2"), Paths{"config.sheets.guests.range"});
    EXPECT_EQ(after("account_sid: AC1, ", ""), Paths{"config.account_sid"});
    EXPECT_EQ(after("    config: {", "    enabled: false\n    flow: sms\n    config: {"),
              (Paths{"enabled", "flow"}));
    EXPECT_EQ(after("    config: {", "    limits: {concurrency: 2, memory: 64MiB}\n    config: {"),
              (Paths{"limits.concurrency", "limits.memory"}));
}

TEST(ConfigChanges, OfKeysThatTheHubReadsDoNotConcernThePlugin) {
    for (const char* key : {"flow", "aliases", "signatures", "limits.per_second"})
        EXPECT_TRUE(is_read_by_hub(key)) << key;
    for (const char* key : {"plugin", "isolation", "limits.memory", "config.flow", "file"})
        EXPECT_FALSE(is_read_by_hub(key)) << key;
}

TEST(ConfigChanges, HaveAPlaceInTheFile) {
    const auto at = [](const std::string& path) {
        const Position position = position_of(base, path);
        return std::to_string(position.line) + ":" + std::to_string(position.column);
    };
    EXPECT_EQ(at("server.listen"), "2:18");
    EXPECT_EQ(at("server.tls.certificate"), "2:9") << "what is not there: where it would be";
    EXPECT_EQ(at("store.url"), "1:1");
}

}  // namespace
}  // namespace patchbay
