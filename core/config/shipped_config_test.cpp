#include <gtest/gtest.h>

#include <cstdlib>

#include "config/hub_config.hpp"
#include "config/yaml_tree.hpp"

namespace patchbay {
namespace {

const std::filesystem::path folder = std::filesystem::path(PATCHBAY_SOURCE_DIR) / "config";

const InstanceConfig* instance(const HubConfig& config, const std::string& name) {
    for (const auto& one : config.plugins) {
        if (one.name == name) return &one;
    }
    return nullptr;
}

}  // namespace

TEST(ShippedConfig, RunsInDevelopmentWithoutAnyPreparation) {
    const HubConfig config = load_config(folder / "patchbay.yaml");
    EXPECT_FALSE(config.production());
    const InstanceConfig* sms = instance(config, "sms");
    const InstanceConfig* sandbox = instance(config, "sandbox");
    ASSERT_TRUE(sms && sandbox && instance(config, "replies"));
    EXPECT_EQ(sms->flow, "replies");
    EXPECT_EQ(sms->config.at("api_base"), "http://" + sandbox->config.at("listen"));
}

TEST(ShippedConfig, NeedsOnlyItsSecretsInProduction) {
    // The key file is the operator's; everything else of the sample is checked as it is.
    std::string text = read_config_file(folder / "production.yaml");
    const std::string key = "${file:/etc/patchbay/token.key}";
    const size_t at = text.find(key);
    ASSERT_NE(at, std::string::npos);
    text.replace(at, key.size(), "${env:PATCHBAY_TEST_KEY}");
    setenv("PATCHBAY_TEST_KEY", "0123456789abcdef0123456789abcdef", 1);
    for (const char* name : {"PATCHBAY_PUBLIC_URL", "FRONTEND_URL"}) {
        setenv(name, "https://hub.example", 1);
    }
    for (const char* name : {"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_PHONE_NUMBER",
                             "TWILIO_WHATSAPP_NUMBER", "TWILIO_WEBHOOK_VERIFY_TOKEN"}) {
        setenv(name, "set", 1);
    }
    const HubConfig config = parse_config(text, folder / "production.yaml");
    EXPECT_TRUE(config.production());
    EXPECT_EQ(config.server.public_url, "https://hub.example");
    EXPECT_EQ(config.server.listen, "0.0.0.0:8000") << "S3-28";
    // S3-24 to S3-27: by the names that the seed has.
    const InstanceConfig* whatsapp = instance(config, "whatsapp");
    ASSERT_TRUE(whatsapp);
    for (const char* key : {"account_sid", "auth_token", "from", "verify_token"}) {
        EXPECT_EQ(whatsapp->config.at(key), "set") << key;
    }
    unsetenv("TWILIO_AUTH_TOKEN");
    EXPECT_THROW(parse_config(text, folder / "production.yaml"), ConfigError);
    for (const char* name :
         {"PATCHBAY_PUBLIC_URL", "FRONTEND_URL", "TWILIO_ACCOUNT_SID", "TWILIO_PHONE_NUMBER",
          "TWILIO_WHATSAPP_NUMBER", "TWILIO_WEBHOOK_VERIFY_TOKEN"}) {
        unsetenv(name);
    }
}

}  // namespace patchbay
