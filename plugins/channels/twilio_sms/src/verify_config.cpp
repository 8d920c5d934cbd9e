#include "verify_config.hpp"

#include <algorithm>
#include <chrono>
#include <patchbay/text.hpp>
#include <twilio/channel.hpp>
#include <twilio/countries.hpp>

namespace patchbay::twilio_sms {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* place_of_code = "{code}";
constexpr int64_t many = 1'000'000;

StartLimits read_limits(ConfigReader yaml) {
    return {
        .number_per_hour = yaml.optional_int("number_per_hour", 5, 1, 10, "To one number"),
        .number_per_day = yaml.optional_int("number_per_day", 10, 1, 50, "To one number"),
        .address_per_hour =
            yaml.optional_int("address_per_hour", 10, 1, many, "From one end_user_ip"),
        .prefix_per_hour = yaml.optional_int(
            "prefix_per_hour", 30, 1, many,
            "To numbers that differ in their last three digits only, as a block is bought"),
        .country_per_day = yaml.optional_int("country_per_day", 1000, 1, many, "To one country"),
    };
}

PumpingAlarm read_pumping(ConfigReader yaml) {
    return {
        .starts = yaml.optional_int("starts", 50, 10, many, "How many are looked at together"),
        .approved_percent =
            yaml.optional_int("approved_percent", 20, 0, 100, "Fewer right codes: paused"),
        .pause = yaml.optional_duration("pause", hours{24}, "How long no more are sent there"),
    };
}

bool has_place_for_code(const std::string& text) {
    return text.find(place_of_code) != std::string::npos;
}

void expect_good(ConfigReader& yaml, const VerifyConfig& config) {
    const bool is_twilio = config.provider == "twilio";
    yaml.expect("service_sid", is_twilio != config.service_sid.empty(),
                "goes together with \"provider: twilio\"");
    yaml.expect(
        "service_sid",
        config.service_sid.empty() ||
            (config.service_sid.starts_with("VA") &&
             std::all_of(config.service_sid.begin(), config.service_sid.end(), is_alphanumeric)),
        "must start with \"VA\" and have letters and digits only");
    yaml.expect("api_base", twilio::is_http_url(config.api_base),
                "must begin with https:// or http://");
    yaml.expect("code_ttl", config.code_ttl >= seconds{1} && config.code_ttl <= hours{24},
                "must be 1s to 24h");
    yaml.expect("resend_after", config.resend_after <= hours{1}, "must be 1h at most");
    for (const std::string& country : config.allowed_countries) {
        yaml.expect("allowed_countries", twilio::is_country(country),
                    "has \"" + country + "\", which is no country: two capital letters, as \"DE\"");
    }
    yaml.expect("text", has_place_for_code(config.text), "must have {code}");
    for (const auto& [language, text] : config.texts) {
        yaml.expect("texts", has_place_for_code(text), "\"" + language + "\" must have {code}");
    }
}

}  // namespace

VerifyConfig read_verify_config(ConfigReader yaml) {
    const VerifyConfig config{
        .provider = yaml.optional_choice("provider", "local", {"local", "twilio"},
                                         "local: this hub makes the codes and sends them as SMS"),
        .service_sid = yaml.optional_text("service_sid", "", "Verify Service (VA...) at Twilio"),
        .api_base = twilio::without_last_slash(
            yaml.optional_text("api_base", "https://verify.twilio.com", "Where Verify v2 is")),
        .rate_limit =
            yaml.optional_text("rate_limit", "end_user_ip",
                               "Unique name of the service's rate limit that counts end_user_ip"),
        .code_ttl = yaml.optional_duration(
            "code_ttl", minutes{10}, "How long a code is good; with twilio what the service says"),
        .resend_after =
            yaml.optional_duration("resend_after", seconds{30}, "Earliest second code to a number"),
        .max_checks = yaml.optional_int("max_checks", 5, 1, 5, "Tries for each code"),
        .allowed_countries = yaml.optional_list(
            "allowed_countries", "Where codes may be sent, such as DE; no other country"),
        .code_length = yaml.optional_int("code_length", 6, 4, 10, "Digits of a code; local only"),
        .text = yaml.optional_text("text", "Your code is {code}.", "The SMS; local only"),
        .texts = yaml.optional_map("texts", "The SMS by language of `locale`, such as de"),
        .limits = read_limits(yaml.section("limits", "How often verifications may be started")),
        .pumping = read_pumping(yaml.section("pumping", "When too few codes come back")),
    };
    expect_good(yaml, config);
    return config;
}

}  // namespace patchbay::twilio_sms
