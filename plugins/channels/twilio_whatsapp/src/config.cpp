#include "config.hpp"

#include <twilio/channel.hpp>
#include <twilio/whatsapp.hpp>

namespace patchbay::twilio_whatsapp {
namespace {

bool is_sender(const std::string& from) {
    return from.starts_with("whatsapp:") && twilio::whatsapp_address(from).kind == "phone";
}

}  // namespace

twilio::Account Config::account() const {
    return {api_base, account_sid, account_sid, auth_token.reveal()};
}

std::string Config::number() const { return twilio::whatsapp_address(from).value; }

Config read_config(ConfigReader& yaml) {
    Config config{
        .account_sid = yaml.required_text("account_sid", "Account SID, from the Twilio console"),
        .auth_token = yaml.required_secret("auth_token", "Auth token; signs webhooks and calls"),
        .auth_token_previous = yaml.optional_secret(
            "auth_token_previous", "Still accepted for webhooks while the token is changed"),
        .from = yaml.required_text("from", "The WhatsApp sender, as in whatsapp:+14155552671"),
        .verify_token = yaml.optional_secret(
            "verify_token", "A second secret for webhooks, in their URL or a header"),
        .api_base = twilio::without_last_slash(
            yaml.optional_text("api_base", "https://api.twilio.com", "Where the Messages API is")),
    };
    yaml.expect("account_sid", twilio::is_account_sid(config.account_sid),
                "must start with \"AC\" and have letters and digits only");
    yaml.expect("from", is_sender(config.from),
                "must be \"whatsapp:\", a plus and the number with its country code");
    yaml.expect("api_base", twilio::is_http_url(config.api_base),
                "must begin with https:// or http://");
    return config;
}

}  // namespace patchbay::twilio_whatsapp
