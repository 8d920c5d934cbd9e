#include "config.hpp"

#include <gtest/gtest.h>

#include <chrono>

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

TEST(TwilioSmsConfig, VerifiesWithCodesOfItsOwnWhereNoCountryIsOpenUnlessTold) {
    const auto read_config = read(shortest);
    const VerifyConfig& verify = read_config.config.verify;
    EXPECT_EQ(verify.provider, "local");
    EXPECT_TRUE(verify.allowed_countries.empty());
    EXPECT_EQ(verify.code_ttl, std::chrono::minutes{10});
    EXPECT_EQ(verify.resend_after, std::chrono::seconds{30});
    EXPECT_EQ(verify.max_checks, 5);
    EXPECT_EQ(verify.limits.number_per_hour, 5);
    EXPECT_EQ(verify.limits.number_per_day, 10);
    EXPECT_EQ(verify.limits.address_per_hour, 10);
    EXPECT_EQ(verify.limits.prefix_per_hour, 30);
}

TEST(TwilioSmsConfig, CallsVerifyWithTheCredentialsOfMessages) {
    const auto account = read(with({{"api_key", "SK1"},
                                    {"api_secret", "s"},
                                    {"verify.provider", "twilio"},
                                    {"verify.service_sid", "VA0123456789abcdef0123456789abcdef"},
                                    {"verify.api_base", "http://127.0.0.1:4110/verify/"}}))
                             .config.verify_account();
    EXPECT_EQ(account.api_base, "http://127.0.0.1:4110/verify");
    EXPECT_EQ(account.user, "SK1");
    EXPECT_EQ(account.password, "s");
}

struct VerifyMistake {
    const char* key;
    const char* value;
    const char* complaint;
};

TEST(TwilioSmsConfig, PointsAtMistakesOfVerifyS4_20) {
    const VerifyMistake mistakes[] = {
        {"verify.service_sid", "VA1", "goes together with \"provider: twilio\""},
        {"verify.api_base", "verify.twilio.com", "must begin with https:// or http://"},
        {"verify.code_ttl", "2d", ""},
        {"verify.max_checks", "6", ""},
        {"verify.text", "no place", "must have {code}"},
        {"verify.limits.number_per_hour", "0", ""},
        {"verify.provider", "nexmo", ""},
    };
    for (const auto& [key, value, complaint] : mistakes) {
        const auto problems = read(with({{key, value}})).problems;
        ASSERT_EQ(problems.count(key), 1u) << key;
        if (*complaint == 0) continue;
        EXPECT_EQ(problems.at(key), complaint);
    }
    EXPECT_EQ(read(with({{"verify.provider", "twilio"}})).problems.count("verify.service_sid"), 1u);
    EXPECT_EQ(read(with({{"verify.allowed_countries[]", "1"},
                         {"verify.allowed_countries[0]", "Germany"}}))
                  .problems.count("verify.allowed_countries"),
              1u);
    EXPECT_EQ(read(with({{"verify.texts.de", "Ihr Code"}})).problems.count("verify.texts"), 1u);
}

}  // namespace
}  // namespace patchbay::twilio_sms
