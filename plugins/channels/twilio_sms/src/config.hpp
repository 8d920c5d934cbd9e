#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <twilio/messages.hpp>
#include <vector>

#include "verify_config.hpp"

namespace patchbay::twilio_sms {

struct Config {
    std::string account_sid;
    Secret auth_token, auth_token_previous;
    std::string api_key;
    Secret api_secret;
    std::string default_from, messaging_service_sid;
    std::string api_base;
    std::vector<std::string> number_aliases;
    VerifyConfig verify;

    /// default_from and number_aliases: what `from_phone` of a request may be.
    std::vector<std::string> numbers() const;
    /// With the API key when there is one, else with the auth token.
    twilio::Account account() const;
    /// The same credentials, at Verify's address.
    twilio::Account verify_account() const;
};

Config read_config(ConfigReader& yaml);

}  // namespace patchbay::twilio_sms
