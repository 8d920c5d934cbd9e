#include "config.hpp"

#include <twilio/channel.hpp>

namespace patchbay::twilio_sms {

std::vector<std::string> Config::numbers() const {
    std::vector<std::string> all = number_aliases;
    if (!default_from.empty()) all.insert(all.begin(), default_from);
    return all;
}

twilio::Account Config::account() const {
    if (api_key.empty()) return {api_base, account_sid, account_sid, auth_token.reveal()};
    return {api_base, account_sid, api_key, api_secret.reveal()};
}

twilio::Account Config::verify_account() const {
    twilio::Account there = account();
    there.api_base = verify.api_base;
    return there;
}

Config read_config(ConfigReader& yaml) {
    Config config{
        .account_sid = yaml.required_text("account_sid", "Account SID, from the Twilio console"),
        .auth_token = yaml.required_secret("auth_token", "Auth token; signs webhooks and calls"),
        .auth_token_previous = yaml.optional_secret(
            "auth_token_previous", "Still accepted for webhooks while the token is changed"),
        .api_key = yaml.optional_text("api_key", "", "SID of an API key, for calls"),
        .api_secret = yaml.optional_secret("api_secret", "Secret of the API key"),
        .default_from =
            yaml.optional_text("default_from", "", "The number that messages come from"),
        .messaging_service_sid = yaml.optional_text(
            "messaging_service_sid", "", "Messaging Service that chooses the number instead"),
        .api_base = twilio::without_last_slash(
            yaml.optional_text("api_base", "https://api.twilio.com", "Where the Messages API is")),
        .number_aliases = yaml.optional_list("number_aliases", "Further numbers of this channel"),
        .verify = read_verify_config(
            yaml.section("verify", "Codes that prove that a phone is somebody's")),
    };
    yaml.expect("account_sid", twilio::is_account_sid(config.account_sid),
                "must start with \"AC\" and have letters and digits only");
    yaml.expect("api_secret", config.api_key.empty() == config.api_secret.empty(),
                "goes together with \"api_key\"");
    yaml.expect("api_base", twilio::is_http_url(config.api_base),
                "must begin with https:// or http://");
    return config;
}

}  // namespace patchbay::twilio_sms
