#include "config.hpp"

#include <gtest/gtest.h>

namespace patchbay::twilio_sms {
namespace {

struct ReadConfig {
    Config config;
    Labels problems;
};

ReadConfig read(Labels values) {
    detail::ConfigState state;
    state.values = &values;
    ConfigReader reader{state};
    Config config = read_config(reader);
    return {std::move(config), state.problems};
}

const Labels shortest{{"account_sid", "AC0123456789abcdef0123456789abcdef"}, {"auth_token", "t"}};

Labels with(Labels more) {
    more.insert(shortest.begin(), shortest.end());
    return more;
}

TEST(TwilioSmsConfig, NeedsAccountAndToken) {
    EXPECT_EQ(read(shortest).problems, Labels{});
    EXPECT_EQ(read({}).problems,
              (Labels{{"account_sid", "is missing"}, {"auth_token", "is missing"}}));
}

TEST(TwilioSmsConfig, SignsCallsWithTheApiKeyWhenThereIsOne) {
    const auto token = read(shortest).config.account();
    EXPECT_EQ(token.user, shortest.at("account_sid"));
    EXPECT_EQ(token.password, "t");
    const auto key = read(with({{"api_key", "SK1"}, {"api_secret", "s"}})).config.account();
    EXPECT_EQ(key.user, "SK1");
    EXPECT_EQ(key.password, "s");
    EXPECT_EQ(key.sid, shortest.at("account_sid"));
}

TEST(TwilioSmsConfig, PointsAtMistakes) {
    EXPECT_EQ(read(with({{"api_key", "SK1"}})).problems.at("api_secret"),
              "goes together with \"api_key\"");
    EXPECT_EQ(read(with({{"api_base", "api.twilio.com"}})).problems.count("api_base"), 1u);
    for (const char* sid : {"SK0123456789abcdef0123456789abcdef", "XX", "AC1/../x", "AC 1"}) {
        const auto problems = read({{"account_sid", sid}, {"auth_token", "t"}}).problems;
        EXPECT_EQ(problems.count("account_sid"), 1u) << sid;
    }
}

TEST(TwilioSmsConfig, TakesTheBaseWithOrWithoutASlash) {
    EXPECT_EQ(read(with({{"api_base", "http://127.0.0.1:8010/"}})).config.api_base,
              "http://127.0.0.1:8010");
}

TEST(TwilioSmsConfig, KnowsItsNumbers) {
    const auto config =
        read(with({{"default_from", "+1"}, {"number_aliases[]", "1"}, {"number_aliases[0]", "+2"}}))
            .config;
    EXPECT_EQ(config.numbers(), (std::vector<std::string>{"+1", "+2"}));
}

}  // namespace
}  // namespace patchbay::twilio_sms
