#include "config.hpp"

#include <gtest/gtest.h>

namespace patchbay::twilio_whatsapp {
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

const Labels shortest{{"account_sid", "AC0123456789abcdef0123456789abcdef"},
                      {"auth_token", "t"},
                      {"from", "whatsapp:+14155552671"}};

TEST(TwilioWhatsAppConfig, NeedsAccountTokenAndSenderS3_24_S3_25_S3_26) {
    EXPECT_EQ(read(shortest).problems, Labels{});
    EXPECT_EQ(read({}).problems, (Labels{{"account_sid", "is missing"},
                                         {"auth_token", "is missing"},
                                         {"from", "is missing"}}));
    const Config config = read(shortest).config;
    EXPECT_EQ(config.number(), "+14155552671");
    EXPECT_EQ(config.account().user, shortest.at("account_sid"));
    EXPECT_EQ(config.account().password, "t");
}

TEST(TwilioWhatsAppConfig, PointsAtMistakes) {
    for (const char* from :
         {"+14155552671", "whatsapp:14155552671", "whatsapp:BANK", "sms:+1415"}) {
        Labels values = shortest;
        values["from"] = from;
        EXPECT_EQ(read(values).problems.count("from"), 1u) << from;
    }
    Labels values = shortest;
    values["account_sid"] = "SK0123456789abcdef0123456789abcdef";
    values["api_base"] = "api.twilio.com";
    EXPECT_EQ(read(values).problems.size(), 2u);
}

TEST(TwilioWhatsAppConfig, MayHaveAVerifyTokenS3_27) {
    EXPECT_TRUE(read(shortest).config.verify_token.empty());
    Labels values = shortest;
    values["verify_token"] = "BarronPMSWebhookToken2024";
    EXPECT_EQ(read(values).config.verify_token.reveal(), "BarronPMSWebhookToken2024");
}

}  // namespace
}  // namespace patchbay::twilio_whatsapp
