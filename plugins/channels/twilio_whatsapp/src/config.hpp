#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <twilio/messages.hpp>

namespace patchbay::twilio_whatsapp {

struct Config {
    std::string account_sid;
    Secret auth_token, auth_token_previous;
    std::string from;  ///< whatsapp:+14155552671
    Secret verify_token;
    std::string api_base;

    twilio::Account account() const;
    /// `from` without its prefix.
    std::string number() const;
};

Config read_config(ConfigReader& yaml);

}  // namespace patchbay::twilio_whatsapp
