#include "plugins/schema_check.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

using detail::SchemaKey;
using detail::ValueType;

detail::Schema sample_schema() {
    SchemaKey account{.key = "account_sid", .required = true};
    SchemaKey token{.key = "auth_token", .type = ValueType::secret, .required = true};
    SchemaKey timeout{.key = "timeout", .type = ValueType::duration};
    SchemaKey size{.key = "size", .type = ValueType::integer, .min = 1, .max = 10};
    SchemaKey countries{.key = "countries", .type = ValueType::list};
    SchemaKey aliases{.key = "aliases", .type = ValueType::map};
    SchemaKey verify{.key = "verify", .type = ValueType::section};
    SchemaKey provider{
        .key = "verify.provider", .type = ValueType::choice, .choices = {"local", "twilio"}};
    SchemaKey code{.key = "verify.code", .type = ValueType::secret};
    SchemaKey rules{.key = "rules", .type = ValueType::sections};
    SchemaKey contains{.key = "rules[].contains", .required = true};
    SchemaKey tags{.key = "rules[].tags", .type = ValueType::list};
    SchemaKey sheets{.key = "sheets", .type = ValueType::named_sections};
    SchemaKey range{.key = "sheets.*.range", .required = true};
    return {{account, token, timeout, size, countries, aliases, verify, provider, code, rules,
             contains, tags, sheets, range}};
}

// path and message of each problem, without the part that all paths share.
std::vector<std::string> problems(std::map<std::string, std::string> values,
                                  std::set<std::string> unquoted = {}) {
    InstanceConfig instance;
    instance.name = "sms";
    instance.config = std::move(values);
    instance.unquoted = std::move(unquoted);
    instance.config.try_emplace("account_sid", "AC1");
    instance.config.try_emplace("auth_token", "t");
    std::vector<std::string> found;
    for (const ConfigProblem& one : check_against_schema(sample_schema(), instance, "f"))
        found.push_back(one.path.substr(std::string("plugins.sms.config").size()) + ": " +
                        one.message);
    return found;
}

using Texts = std::vector<std::string>;

TEST(SchemaCheck, AcceptsEveryKeyThatIsDescribed) {
    EXPECT_EQ(problems({{"timeout", "10s"},
                        {"size", "10"},
                        {"countries[]", "2"},
                        {"countries[0]", "ZA"},
                        {"countries[1]", "DE"},
                        {"aliases.+27", "sales"},
                        {"verify.provider", "local"},
                        {"rules[]", "2"},
                        {"rules[0].contains", "a"},
                        {"rules[0].tags[]", "1"},
                        {"rules[0].tags[0]", "x"},
                        {"rules[1].contains", "b"},
                        {"sheets.guests.range", "A1"}}),
              Texts{});
}

TEST(SchemaCheck, NamesTheNearestKnownKey) {
    EXPECT_EQ(problems({{"auth_tokn", "x"}}),
              Texts{".auth_tokn: unknown key, did you mean \"auth_token\"?"});
    EXPECT_EQ(problems({{"colour", "x"}}), Texts{".colour: unknown key"});
    EXPECT_EQ(problems({{"verify.provder", "x"}}),
              Texts{".verify.provder: unknown key, did you mean \"provider\"?"});
    EXPECT_EQ(problems({{"rules[]", "1"}, {"rules[0].contains", "a"}, {"rules[0].contain", "a"}}),
              Texts{".rules[0].contain: unknown key, did you mean \"contains\"?"});
    EXPECT_EQ(problems({{"sheets.guests.range", "A1"}, {"sheets.guests.rnage", "A1"}}),
              Texts{".sheets.guests.rnage: unknown key, did you mean \"range\"?"});
}

TEST(SchemaCheck, ReportsAnUnknownSectionOnce) {
    EXPECT_EQ(problems({{"verfy.provider", "x"}, {"verfy.code", "y"}}),
              Texts{".verfy: unknown key, did you mean \"verify\"?"});
    EXPECT_EQ(problems({{"list[]", "2"}, {"list[0]", "a"}, {"list[1]", "b"}}),
              Texts{".list: unknown key"});
}

TEST(SchemaCheck, ReportsWhatIsMissingAtItsParent) {
    InstanceConfig instance;
    instance.name = "sms";
    instance.config = {{"account_sid", "AC1"},
                       {"rules[]", "2"},
                       {"rules[0].tags[]", "0"},
                       {"sheets.guests.x", "1"}};
    instance.key_positions = {{"", {3, 5}}, {"rules[0]", {9, 7}}};
    instance.positions = {{"", {3, 5}}, {"rules", {8, 5}}, {"rules[0]", {9, 7}}};
    Texts found;
    for (const ConfigProblem& one :
         check_against_schema(sample_schema(), instance, "patchbay.yaml"))
        found.push_back(one.text());
    EXPECT_EQ(found[0], "patchbay.yaml:3:5: plugins.sms.config: \"auth_token\" is missing");
    EXPECT_NE(std::find(found.begin(), found.end(),
                        "patchbay.yaml:9:7: plugins.sms.config.rules[0]: \"contains\" is missing"),
              found.end());
    EXPECT_EQ(found.back(),
              "patchbay.yaml:9:7: plugins.sms.config.rules[0]: \"contains\" is missing");
}

TEST(SchemaCheck, ChecksTypesAndRanges) {
    EXPECT_EQ(problems({{"timeout", "10"}}),
              Texts{".timeout: expected a duration such as \"10s\", found \"10\""});
    EXPECT_EQ(problems({{"size", "11"}}),
              Texts{".size: expected a number from 1 to 10, found \"11\""});
    EXPECT_EQ(problems({{"verify.provider", "x"}}),
              Texts{".verify.provider: expected one of local, twilio; found \"x\""});
    EXPECT_EQ(problems({{"account_sid", ""}}), Texts{".account_sid: must not be empty"});
}

TEST(SchemaCheck, ChecksShapes) {
    EXPECT_EQ(problems({{"countries", "ZA"}}), Texts{".countries: expected a list"});
    EXPECT_EQ(problems({{"verify", "twilio"}}), Texts{".verify: expected a map"});
    EXPECT_EQ(problems({{"verify[]", "1"}, {"verify[0]", "a"}}), Texts{".verify: expected a map"});
    EXPECT_EQ(problems({{"size[]", "1"}, {"size[0]", "1"}}),
              Texts{".size: expected a single value"});
}

TEST(SchemaCheck, SaysOnceThatAValueHasAnotherShape) {
    EXPECT_EQ(problems({{"rules.contains", "a"}, {"rules.reply", "b"}}),
              Texts{".rules: expected a list of maps"});
    EXPECT_EQ(problems({{"timeout.a", "1s"}, {"timeout.b", "1s"}}),
              Texts{".timeout: expected a single value"});
    EXPECT_EQ(problems({{"countries[]", "1"}, {"countries[0].name", "ZA"}}),
              Texts{".countries[0]: expected a text"});
}

TEST(SchemaCheck, ChecksTheItemsOfListsAndMaps) {
    EXPECT_EQ(problems({{"countries[]", "2"}, {"countries[0]", "DE"}, {"countries[1]", "NO"}},
                       {"countries[0]", "countries[1]"}),
              Texts{".countries[1]: expected a text, found a boolean; quote it"});
    EXPECT_EQ(problems({{"aliases.sales", "27123456789"}}, {"aliases.sales"}),
              Texts{".aliases.sales: expected a text, found a number; quote it"});
}

TEST(SchemaCheck, SaysNothingOfWhatCouldNotBeRead) {
    InstanceConfig instance;
    instance.name = "sms";
    instance.config = {{"account_sid", "AC1"}, {"rules[]", "1"}, {"countries[]", "1"}};
    instance.unreadable = {"auth_token", "rules[0].contains", "countries[0]"};
    EXPECT_TRUE(check_against_schema(sample_schema(), instance, "f").empty());
    EXPECT_TRUE(problems_of_plugin({{"auth_token", "is missing"}}, instance, "f", {}).empty());
    instance.unreadable = {""};
    instance.config.clear();
    EXPECT_TRUE(check_against_schema(sample_schema(), instance, "f").empty());
}

TEST(SchemaCheck, RepeatsNoSecretThatWasPutIntoATextS82) {
    InstanceConfig instance;
    instance.name = "sms";
    instance.config = {{"account_sid", "AC1"}, {"auth_token", "t"}, {"size", "whisper"}};
    instance.shown = {{"size", "***"}};
    const auto found = check_against_schema(sample_schema(), instance, "f");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].message, "expected a number from 1 to 10, found \"***\"");
}

TEST(SchemaCheck, WantsQuotesAroundTextsThatLookLikeSomethingElse) {
    for (const char* text : {"27123456789", "+27123456789", "010", "no", "null", "1.5"})
        EXPECT_EQ(problems({{"account_sid", text}}, {"account_sid"}).size(), 1u) << text;
    for (const char* text : {"AC123", "twilio", "v2"})
        EXPECT_EQ(problems({{"account_sid", text}}, {"account_sid"}), Texts{}) << text;
    EXPECT_EQ(problems({{"account_sid", "+27123456789"}}), Texts{}) << "it stood in quotes";
}

TEST(SchemaCheck, PutsThePluginsOwnFindingsBesideItsOwn) {
    InstanceConfig instance;
    instance.name = "sms";
    instance.config = {{"account_sid", "XX"}};
    instance.positions = {{"", {3, 5}}, {"account_sid", {4, 20}}};
    const auto known = check_against_schema(sample_schema(), instance, "f");
    const auto own = problems_of_plugin(
        {{"account_sid", "must start with \"AC\""}, {"auth_token", "is missing"}}, instance, "f",
        known);
    ASSERT_EQ(own.size(), 1u) << "what is missing was told already";
    EXPECT_EQ(own[0].text(), "f:4:20: plugins.sms.config.account_sid: must start with \"AC\"");
}

TEST(SchemaCheck, FindsSecretsInSections) {
    InstanceConfig instance;
    instance.config = {{"account_sid", "AC1"}, {"auth_token", "abc"}, {"verify.code", "def"}};
    EXPECT_EQ(secrets_of(sample_schema(), instance),
              (Labels{{"auth_token", "abc"}, {"verify.code", "def"}}));
}

}  // namespace
}  // namespace patchbay
