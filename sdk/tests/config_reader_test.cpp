#include <gtest/gtest.h>

#include <patchbay/sdk.hpp>

namespace patchbay {
namespace {
using namespace std::chrono_literals;

struct Rule {
    std::string contains, reply;
};
struct Config {
    std::string account;
    Secret token, previous;
    int64_t retries;
    bool strict;
    milliseconds timeout;
    std::string mode;
    std::vector<std::string> countries;
    Labels aliases;
    std::string provider;
    std::vector<Rule> rules;
    std::map<std::string, std::string> sheets;
};

Config read_config(ConfigReader& yaml) {
    ConfigReader verify = yaml.section("verify", "Number verification");
    Config config{
        .account = yaml.required_text("account", "Account"),
        .token = yaml.required_secret("token", "Token"),
        .previous = yaml.optional_secret("previous", "Older token"),
        .retries = yaml.optional_int("retries", 3, 0, 10, "Retries", ConfigReader::live),
        .strict = yaml.optional_bool("strict", true, "Strict"),
        .timeout = yaml.optional_duration("timeout", 10s, "Timeout"),
        .mode = yaml.optional_choice("mode", "fast", {"fast", "slow"}, "Mode"),
        .countries = yaml.optional_list("countries", "Countries"),
        .aliases = yaml.optional_map("aliases", "Aliases"),
        .provider = verify.optional_text("provider", "local", "Who checks"),
        .rules = yaml.sections("rules", "Rules",
                               [](ConfigReader& rule) {
                                   return Rule{rule.required_text("contains", "Words"),
                                               rule.optional_text("reply", "", "Answer")};
                               }),
        .sheets = yaml.named_sections(
            "sheets", "Sheets",
            [](ConfigReader& sheet) { return sheet.required_text("range", "Cells"); }),
    };
    yaml.expect("account", config.account.starts_with("AC"), "must start with \"AC\"");
    verify.expect("provider", config.provider != "none", "must not be none");
    return config;
}

struct Reading {
    Config config;
    Labels problems;
};

Reading reading(const Labels& values) {
    detail::ConfigState state;
    state.values = &values;
    ConfigReader reader(state);
    Config config = read_config(reader);
    return {std::move(config), state.problems};
}

TEST(ConfigReader, FillsTheStructFromFlattenedKeys) {
    const auto [config, problems] = reading({{"account", "AC1"},
                                             {"token", "secret"},
                                             {"retries", "5"},
                                             {"strict", "false"},
                                             {"timeout", "500ms"},
                                             {"mode", "slow"},
                                             {"countries[]", "2"},
                                             {"countries[0]", "ZA"},
                                             {"countries[1]", "DE"},
                                             {"aliases.+27", "sales"},
                                             {"verify.provider", "twilio"},
                                             {"rules[]", "2"},
                                             {"rules[0].contains", "hours"},
                                             {"rules[0].reply", "9 to 5"},
                                             {"rules[1].contains", "price"},
                                             {"sheets.guests.range", "A1:B2"},
                                             {"sheets.rooms.range", "C1"}});
    EXPECT_EQ(problems, Labels{});
    EXPECT_EQ(config.account, "AC1");
    EXPECT_EQ(config.token.reveal(), "secret");
    EXPECT_TRUE(config.previous.empty());
    EXPECT_EQ(config.retries, 5);
    EXPECT_FALSE(config.strict);
    EXPECT_EQ(config.timeout, 500ms);
    EXPECT_EQ(config.mode, "slow");
    EXPECT_EQ(config.countries, (std::vector<std::string>{"ZA", "DE"}));
    EXPECT_EQ(config.aliases, (Labels{{"+27", "sales"}}));
    EXPECT_EQ(config.provider, "twilio");
    ASSERT_EQ(config.rules.size(), 2u);
    EXPECT_EQ(config.rules[0].reply, "9 to 5");
    EXPECT_EQ(config.rules[1].contains, "price");
    EXPECT_EQ(config.sheets,
              (std::map<std::string, std::string>{{"guests", "A1:B2"}, {"rooms", "C1"}}));
}

TEST(ConfigReader, TakesFallbacksForWhatIsNotGiven) {
    const auto [config, problems] = reading({{"account", "AC1"}, {"token", "t"}});
    EXPECT_EQ(problems, Labels{});
    EXPECT_EQ(config.retries, 3);
    EXPECT_TRUE(config.strict);
    EXPECT_EQ(config.timeout, 10s);
    EXPECT_EQ(config.mode, "fast");
    EXPECT_EQ(config.provider, "local");
    EXPECT_TRUE(config.rules.empty());
}

TEST(ConfigReader, GathersEveryProblemUnderItsKey) {
    const auto [config, problems] = reading({{"account", "XX"},
                                             {"retries", "11"},
                                             {"strict", "yes"},
                                             {"timeout", "10"},
                                             {"mode", "soon"},
                                             {"countries", "ZA"},
                                             {"verify.provider", "none"},
                                             {"rules[]", "1"},
                                             {"rules[0].reply", "x"}});
    const Labels expected{{"account", "must start with \"AC\""},
                          {"token", "is missing"},
                          {"retries", "expected a number from 0 to 10, found \"11\""},
                          {"strict", "expected true or false, found \"yes\""},
                          {"timeout", "expected a duration such as \"10s\", found \"10\""},
                          {"mode", "expected one of fast, slow; found \"soon\""},
                          {"countries", "expected a list"},
                          {"verify.provider", "must not be none"},
                          {"rules[0].contains", "is missing"}};
    EXPECT_EQ(problems, expected);
}

TEST(ConfigReader, TellsAMissingKeyOnlyOnce) {
    EXPECT_EQ(reading({{"token", "t"}}).problems, (Labels{{"account", "is missing"}}));
}

TEST(ConfigReader, RecordsTheSchema) {
    detail::ConfigState state;
    state.describing = true;
    ConfigReader reader(state);
    read_config(reader);
    EXPECT_EQ(state.problems, Labels{});

    std::map<std::string, detail::SchemaKey> keys;
    for (const auto& key : state.schema.keys) keys[key.key] = key;
    EXPECT_EQ(keys.size(), state.schema.keys.size());
    EXPECT_TRUE(keys.at("account").required);
    EXPECT_EQ(keys.at("token").type, detail::ValueType::secret);
    EXPECT_EQ(keys.at("retries").max, 10);
    EXPECT_EQ(keys.at("retries").flags, uint32_t{ConfigReader::live});
    EXPECT_EQ(keys.at("timeout").fallback, "10s");
    EXPECT_EQ(keys.at("mode").choices, (std::vector<std::string>{"fast", "slow"}));
    EXPECT_EQ(keys.at("verify").type, detail::ValueType::section);
    EXPECT_EQ(keys.at("verify.provider").fallback, "local");
    EXPECT_TRUE(keys.at("rules[].contains").required);
    EXPECT_TRUE(keys.contains("sheets.*.range"));
    for (const auto& [name, key] : keys) EXPECT_FALSE(key.about.empty()) << name;
}

TEST(Durations, NeedAUnit) {
    const std::pair<const char*, milliseconds> good[] = {
        {"0s", 0ms}, {"500ms", 500ms}, {"10s", 10s}, {"5m", 5min}, {"12h", 12h}, {"2d", 48h}};
    for (const auto& [text, value] : good) {
        EXPECT_EQ(detail::parse_duration(text), value) << text;
        EXPECT_EQ(detail::parse_duration(detail::duration_text(value)), value);
    }
    for (const char* bad :
         {"", "10", "s", "-1s", "1.5s", "1 s", "1S", "1w", "99999999999999999999s", "9999999999d"})
        EXPECT_EQ(detail::parse_duration(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace patchbay
