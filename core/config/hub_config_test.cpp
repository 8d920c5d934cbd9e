#include "config/hub_config.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/log.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

const std::filesystem::path hub_file = "config/hub.yaml";

std::string problems_of(const std::string& text) {
    try {
        parse_config(text, hub_file);
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "";
}

struct MistakeCase {
    const char* name;
    std::string text, expected;
};

const MistakeCase mistakes[] = {
    {"unknown key", "server:\n  listenn: 127.0.0.1:8000\n",
     "config/hub.yaml:2:3: server.listenn: unknown key, did you mean \"listen\"?"},
    {"unknown key, nothing near", "weather: sunny\n", "config/hub.yaml:1:1: weather: unknown key"},
    {"missing", "plugins:\n  sms:\n    enabled: true\n",
     "config/hub.yaml:2:3: plugins.sms: \"plugin\" is missing"},
    {"duration without unit", "auth: {token_ttl: 10}\n",
     "config/hub.yaml:1:19: auth.token_ttl: expected a duration such as \"10s\", found \"10\""},
    {"duration out of range", "auth: {token_ttl: 48h}\n",
     "config/hub.yaml:1:19: auth.token_ttl: expected a duration from 1m to 1d, found 48h"},
    {"boolean of another spelling", "plugins:\n  sms: {plugin: twilio_sms, enabled: yes}\n",
     "config/hub.yaml:2:38: plugins.sms.enabled: expected true or false, found \"yes\""},
    {"number where a text belongs", "store: {url: 12}\n",
     "config/hub.yaml:1:14: store.url: expected a text, found a number; quote it: \"12\""},
    {"boolean in a list of texts", "departments: [Reception, no]\n",
     "config/hub.yaml:1:26: departments[1]: expected a text, found a boolean; quote it: \"no\""},
    {"size", "plugins: {sms: {plugin: twilio_sms, limits: {memory: 256MB}}}\n",
     "config/hub.yaml:1:54: plugins.sms.limits.memory: expected a size such as \"256MiB\", found "
     "\"256MB\""},
    {"number out of range", "server: {limits: {connections: 0}}\n",
     "config/hub.yaml:1:32: server.limits.connections: expected a number from 1 to 1000000, found "
     "0"},
    {"no number", "server: {limits: {connections: many}}\n",
     "config/hub.yaml:1:32: server.limits.connections: expected a whole number, found \"many\""},
    {"choice", "mode: prod\n",
     "config/hub.yaml:1:7: mode: expected \"development\" or \"production\", found \"prod\""},
    {"text where a map belongs", "log: loud\n",
     "config/hub.yaml:1:6: log: expected a map, found \"loud\""},
    {"nothing where a text belongs", "store:\n  url:\n",
     "config/hub.yaml:2:3: store.url: expected a text, found nothing"},
    {"unset variable", "store: {url: \"${env:PATCHBAY_TEST_NONE}\"}\n",
     "config/hub.yaml:1:15: store.url: environment variable PATCHBAY_TEST_NONE is not set"},
    {"origin with a star", "server: {cors_origins: [\"https://*.example\"]}\n",
     "config/hub.yaml:1:25: server.cors_origins[0]: expected an exact origin such as "
     "\"https://desk.example\", found \"https://*.example\""},
    {"flow of no instance",
     "plugins:\n  sms: {plugin: twilio_sms, flow: replis}\n  replies: {plugin: auto_reply}\n",
     "config/hub.yaml:2:35: plugins.sms.flow: no instance is called \"replis\", did you mean "
     "\"replies\"?"},
    {"alias taken",
     "plugins:\n  a: {plugin: x, aliases: {status: [/in/]}}\n  b: {plugin: x, aliases: {status: "
     "[/in]}}\n",
     "config/hub.yaml:3:37: plugins.b.aliases.status[0]: /in belongs to plugins.a already"},
    {"instance name", "plugins:\n  My SMS: {plugin: x}\n",
     "config/hub.yaml:2:3: plugins.My SMS: an instance is named with a-z, 0-9, _ and -, a letter "
     "first"},
    {"certificate without key", "server: {tls: {certificate: a.pem}}\n",
     "config/hub.yaml:1:10: server.tls.key: certificate and key belong together: give both or "
     "neither"},
    {"short token key", "auth: {token_keys: [\"too short\"]}\n",
     "config/hub.yaml:1:21: auth.token_keys[0]: is too short; a key has 32 characters or more"},
    {"number in quotes", "server: {limits: {connections: \"5\"}}\n",
     "config/hub.yaml:1:32: server.limits.connections: expected a whole number, found a text; "
     "leave "
     "the quotes out"},
    {"unset variable in the middle", "log: {file: \"é/${env:PATCHBAY_TEST_NONE}.log\"}\n",
     "config/hub.yaml:1:16: log.file: environment variable PATCHBAY_TEST_NONE is not set"},
    {"key that belongs to the section above", "log:\nformat: json\n",
     "config/hub.yaml:2:1: format: unknown key; indent it if it belongs to \"log\""},
    {"instance that is none", "plugins:\n  sms:\n  plugin: x\n",
     "config/hub.yaml:2:3: plugins.sms: \"plugin\" is missing\n"
     "config/hub.yaml:3:3: plugins.plugin: stands where an instance's name belongs; indent it "
     "below "
     "the instance"},
    {"path of the hub", "plugins: {a: {plugin: x, aliases: {in: [/api/v1/in]}}}\n",
     "config/hub.yaml:1:41: plugins.a.aliases.in[0]: /api/v1/in belongs to the hub itself; choose "
     "another path"},
    {"department twice", "departments: [Room Service, room-service]\n",
     "config/hub.yaml:1:29: departments[1]: is the same department as \"Room Service\" before it"},
    {"plugin key with a dot", "plugins: {a: {plugin: x, config: {a.b: c}}}\n",
     "config/hub.yaml:1:35: plugins.a.config.a.b: a key here has no \".\", \"[\" or \"]\""},
    {"plugin block that is a list", "plugins: {a: {plugin: x, config: [b]}}\n",
     "config/hub.yaml:1:34: plugins.a.config: expected a map, found a list"},
    {"plugin key without value",
     "plugins:\n  sms:\n    plugin: x\n    config:\n      auth_token:\n",
     "config/hub.yaml:5:7: plugins.sms.config.auth_token: has no value; write \"\" for an empty "
     "text"},
};

const std::string production_head = R"(mode: production
server: {public_url: "https://hub.example"}
auth: {token_keys: ["0123456789abcdef0123456789abcdef"]}
)";

}  // namespace

TEST(HubConfig, SaysWhereEachMistakeIsAndWhatWasExpected) {
    unsetenv("PATCHBAY_TEST_NONE");
    for (const auto& [name, text, expected] : mistakes) {
        SCOPED_TRACE(name);
        EXPECT_EQ(problems_of(text), expected);
    }
}

TEST(HubConfig, ReportsAllMistakesAtOnceInTheOrderOfTheFile) {
    EXPECT_EQ(
        problems_of("mode: test\nlog:\n  level: loud\n  formt: json\nplugins: {sms: {}}\n"),
        "config/hub.yaml:1:7: mode: expected \"development\" or \"production\", found \"test\"\n"
        "config/hub.yaml:3:10: log.level: expected \"trace\", \"debug\", \"info\", \"warn\" or "
        "\"error\", found \"loud\"\n"
        "config/hub.yaml:4:3: log.formt: unknown key, did you mean \"format\"?\n"
        "config/hub.yaml:5:11: plugins.sms: \"plugin\" is missing");
}

TEST(HubConfig, HasADefaultForEverything) {
    const HubConfig config = parse_config("mode: development\n", hub_file);
    EXPECT_EQ(config.server.listen, "127.0.0.1:8000");
    EXPECT_EQ(config.server.public_url, "http://127.0.0.1:8000");
    EXPECT_EQ(config.auth.token_ttl, 12h);
    EXPECT_EQ(config.departments.size(), 6u);
    EXPECT_EQ(config.base, std::filesystem::absolute("config"));
    EXPECT_EQ(config.state_folder(), std::filesystem::absolute("config/var"));
    EXPECT_EQ(config.flows, std::filesystem::absolute("config/flows/"));
}

TEST(HubConfig, ReadsTheWholeOfAnInstance) {
    const HubConfig config = parse_config(R"(plugins:
  sms:
    plugin: twilio_sms
    enabled: false
    isolation: process
    signatures: observe
    aliases: {status: [/webhooks/sms/twilio/]}
    limits: {concurrency: 4, per_second: 2, bulk_per_day: 500, memory: 64MiB, files: 32, drain_timeout: 500ms}
    restart: {max: 2, per: 1m}
    config:
      auth_token: "hush-hush"
      attempts: 3
      verify: {provider: local}
      rules: [{contains: hello}, {equals: bye}]
)",
                                          hub_file);
    ASSERT_EQ(config.plugins.size(), 1u);
    const InstanceConfig& sms = config.plugins[0];
    EXPECT_EQ(sms.name, "sms");
    EXPECT_FALSE(sms.enabled);
    EXPECT_EQ(sms.isolation, "process");
    EXPECT_EQ(sms.signatures, "observe");
    EXPECT_EQ(sms.aliases.at("status"), std::vector<std::string>{"/webhooks/sms/twilio/"});
    EXPECT_EQ(sms.limits.bulk_per_day, 500u);
    EXPECT_EQ(sms.limits.memory_bytes, 64ull << 20);
    EXPECT_EQ(sms.limits.drain_timeout, 500ms);
    EXPECT_EQ(sms.restart.max, 2u);
    EXPECT_EQ(sms.restart.per, 1min);
    const std::map<std::string, std::string> flat = {
        {"auth_token", "hush-hush"},    {"attempts", "3"},
        {"verify.provider", "local"},   {"rules[]", "2"},
        {"rules[0].contains", "hello"}, {"rules[1].equals", "bye"}};
    EXPECT_EQ(sms.config, flat);
    EXPECT_EQ(sms.positions.at("verify.provider").line, 13);
    EXPECT_EQ(sms.positions.at("verify.provider").column, 26);
    EXPECT_EQ(sms.key_positions.at("verify.provider").column, 16);
    EXPECT_EQ(sms.positions.at("").line, 10);
    EXPECT_EQ(sms.positions.at("").column, 5);
    EXPECT_TRUE(sms.unquoted.contains("attempts"));
    EXPECT_FALSE(sms.unquoted.contains("auth_token"));
}

TEST(HubConfig, ToleratesAMissingTokenKeyFileInDevelopmentOnly) {
    const HubConfig config =
        parse_config("auth: {token_keys: [\"${file:var/none.key}\"]}\n", hub_file);
    EXPECT_TRUE(config.auth.token_keys.empty());
    EXPECT_EQ(config.auth.missing_key_file, std::filesystem::absolute("config/var/none.key"));
    EXPECT_EQ(problems_of("mode: production\nserver: {public_url: \"https://hub.example\"}\n"
                          "auth: {token_keys: [\"${file:var/none.key}\"]}\n"),
              "config/hub.yaml:3:22: auth.token_keys[0]: file var/none.key does not exist");
}

TEST(HubConfig, RefusesInProductionWhatIsForDevelopmentS45) {
    EXPECT_EQ(problems_of(production_head + "plugins: {}\n"), "");
    EXPECT_EQ(
        problems_of(production_head + R"(plugins:
  box: {plugin: sandbox}
  sms: {plugin: twilio_sms, signatures: "off", config: {auth_token: sandbox_auth_token}}
  desk: {plugin: hotel_desk, config: {insecure_guest_ws: true}}
)"),
        "config/hub.yaml:5:17: plugins.box.plugin: sandbox is for mode development only\n"
        "config/hub.yaml:6:41: plugins.sms.signatures: off is for mode development only\n"
        "config/hub.yaml:6:69: plugins.sms.config.auth_token: is the secret of the development "
        "configuration; use your own\n"
        "config/hub.yaml:7:58: plugins.desk.config.insecure_guest_ws: is for mode development "
        "only");
    EXPECT_EQ(problems_of("mode: production\n"),
              "config/hub.yaml:1:1: server: \"public_url\" is missing\n"
              "config/hub.yaml:1:1: auth.token_keys: is needed in production");
}

TEST(HubConfig, WarnsOfSecretsInTheFileAndRefusesThemWhenStrictS80) {
    const std::string text =
        "auth: {token_keys: [\"0123456789abcdef0123456789abcdef\"]}\n"
        "store: {url: \"postgresql://hub:pa55word@db/hub\"}\n"
        "plugins:\n  sms: {plugin: x, config: {auth_token: hush-hush, api_key: "
        "\"${env:PATCHBAY_TEST_TOKEN}\", other_token: sandbox_auth_token}}\n";
    setenv("PATCHBAY_TEST_TOKEN", "from outside", 1);
    std::string told;
    for (const auto& one : parse_config(text, hub_file).warnings) told += one.text() + "\n";
    const std::string rest =
        "a secret stands in the file; ${env:NAME} or ${file:path} keeps it out\n";
    EXPECT_EQ(told, "config/hub.yaml:1:21: warning: auth.token_keys[0]: " + rest +
                        "config/hub.yaml:2:14: warning: store.url: " + rest +
                        "config/hub.yaml:4:41: warning: plugins.sms.config.auth_token: " + rest);
    const std::string refusal =
        "a secret must not stand in the file (strict: true); use ${env:NAME} or ${file:path}";
    EXPECT_EQ(problems_of(text + "strict: true\n"),
              "config/hub.yaml:1:21: auth.token_keys[0]: " + refusal +
                  "\nconfig/hub.yaml:2:14: store.url: " + refusal +
                  "\nconfig/hub.yaml:4:41: plugins.sms.config.auth_token: " + refusal);
}

TEST(HubConfig, ReadsOnAfterWhatYamlAloneWouldAccept) {
    EXPECT_EQ(
        problems_of("mode: &m development\nlog: {level: loud}\nlog: {format: xml}\nrules: 010\n"),
        "config/hub.yaml:1:7: mode: anchors (&name) are not used here; write the value again\n"
        "config/hub.yaml:2:14: log.level: expected \"trace\", \"debug\", \"info\", \"warn\" or "
        "\"error\", found \"loud\"\n"
        "config/hub.yaml:3:1: log: is here twice; the first is in line 2\n"
        "config/hub.yaml:4:8: rules: the number 010 begins with 0; quote it if it is a text");
}

TEST(HubConfig, TellsWhatItReadBeforeTheYamlBreaksAndNothingThatIsOnlyCutOff) {
    EXPECT_EQ(
        problems_of("mode: production\nlog: {level: loud}\nserver: {listen: x\n"),
        "config/hub.yaml:2:14: log.level: expected \"trace\", \"debug\", \"info\", \"warn\" or "
        "\"error\", found \"loud\"\n"
        "config/hub.yaml:3:9: this bracket is not closed, or a comma is missing after it");
}

TEST(HubConfig, NamesNoSecretInAMistakeS82) {
    setenv("PATCHBAY_TEST_TOKEN", "whisper-whisper", 1);
    const std::string told = problems_of(
        "server: {listen: \"${env:PATCHBAY_TEST_TOKEN}\", limits: {connections: "
        "\"${env:PATCHBAY_TEST_TOKEN}\"}}\nstore: {url: \"mysql://hub:pa55word@db\"}\n"
        "auth: {token_keys: [hush-hush]}\nplugins: {a: {plugin: x, config: {api_key: 01}}}\n");
    EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 4) << told;
    for (const char* secret : {"whisper", "pa55word", "hush", "01"}) {
        EXPECT_EQ(told.find(std::string(" ") + secret), std::string::npos) << told;
        EXPECT_EQ(told.find(std::string("\"") + secret), std::string::npos) << told;
    }
}

TEST(HubConfig, ShowsTheRestOfATextWithASecretInItS80) {
    setenv("PATCHBAY_TEST_TOKEN", "whisper-whisper", 1);
    const HubConfig config = parse_config(
        "store: {url: \"postgresql://hub@db/${env:PATCHBAY_TEST_TOKEN}\"}\n"
        "server: {cors_origins: [\"https://${env:PATCHBAY_TEST_TOKEN}.example\"]}\n"
        "plugins: {make: {plugin: x, config: {webhook_url: "
        "\"https://hook.example/${env:PATCHBAY_TEST_TOKEN}/in\", list: "
        "[\"a ${env:PATCHBAY_TEST_TOKEN}\"], proxy: \"http://me:pa55word@proxy\"}}}\n",
        hub_file);
    const std::string shown = show_config(config);
    for (const char* text : {"postgresql://hub@db/***", "[\"https://***.example\"]",
                             "https://hook.example/***/in", "[\"a ***\"]", "http://me:***@proxy"}) {
        EXPECT_NE(shown.find(text), std::string::npos) << text << "\n" << shown;
    }
    EXPECT_EQ(shown.find("whisper"), std::string::npos) << shown;
    EXPECT_EQ(redact("got whisper-whisper"), "got ***");
}

TEST(HubConfig, ShowsItselfWithoutSecretsS80) {
    const HubConfig config =
        parse_config(production_head +
                         "store: {url: \"postgresql://hub:pa55word@db/hub\"}\n"
                         "plugins:\n  sms: {plugin: twilio_sms, config: {account_sid: AC1, "
                         "auth_token: hush-hush-hush, token_ttl: 1h}}\n",
                     hub_file);
    const std::string shown = show_config(config);
    for (const char* secret : {"0123456789abcdef", "pa55word", "hush-hush-hush"}) {
        EXPECT_EQ(shown.find(secret), std::string::npos) << shown;
    }
    EXPECT_NE(shown.find("auth_token: \"***\""), std::string::npos) << shown;
    EXPECT_NE(shown.find("account_sid: \"AC1\""), std::string::npos) << shown;
    EXPECT_NE(shown.find("token_ttl: \"1h\""), std::string::npos) << shown;
    EXPECT_NE(shown.find("postgresql://hub:***@db/hub"), std::string::npos) << shown;
    EXPECT_EQ(redact("token is hush-hush-hush"), "token is ***");
}

TEST(HubConfig, ShowsWhatItWouldReadAgain) {
    const HubConfig config = parse_config(R"(departments: [Café, "no"]
plugins:
  sms:
    plugin: twilio_sms
    aliases: {status: [/in/]}
    config:
      verify: {provider: local, allowed: [DE, "NO"]}
      rules: [{contains: "say \"hi\"", reply: "two\nlines"}, {equals: bye}, {n: c}, {n: d}, {n: e}, {n: f}, {n: g}, {n: h}, {n: i}, {n: j}, {n: k}, {n: l}, {}]
      none: []
)",
                                          hub_file);
    std::string shown = show_config(config);
    const std::string hidden_key = "***";  // The one thing that cannot be read again.
    shown.replace(shown.find(hidden_key), hidden_key.size(), std::string(32, 'k'));
    const HubConfig again = parse_config(shown, hub_file);
    EXPECT_EQ(again.departments, config.departments);
    EXPECT_EQ(again.plugins.at(0).config, config.plugins.at(0).config);
    EXPECT_EQ(again.plugins.at(0).aliases, config.plugins.at(0).aliases);
    EXPECT_EQ(again.server.public_url, config.server.public_url);
}

TEST(HubConfig, SaysThatAFileCannotBeRead) {
    try {
        load_config("/nonexistent/hub.yaml");
        ADD_FAILURE() << "accepted";
    } catch (const ConfigError& error) {
        EXPECT_STREQ(error.what(), "/nonexistent/hub.yaml: No such file or directory");
    }
}

}  // namespace patchbay
