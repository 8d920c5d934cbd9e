#pragma once
#include <cstdint>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

namespace patchbay::twilio_sms {

/// How often verifications may be started (S70).
struct StartLimits {
    int64_t number_per_hour, number_per_day;
    int64_t address_per_hour;
    int64_t prefix_per_hour;  ///< Numbers that differ in their last three digits only.
    int64_t country_per_day;
};

/// When too few codes come back, somebody earns on the texts (S71).
struct PumpingAlarm {
    int64_t starts, approved_percent;
    milliseconds pause;
};

struct VerifyConfig {
    std::string provider;  ///< twilio or local
    std::string service_sid, api_base, rate_limit;
    milliseconds code_ttl, resend_after;
    int64_t max_checks;
    std::vector<std::string> allowed_countries;
    int64_t code_length;
    std::string text;
    Labels texts;
    StartLimits limits;
    PumpingAlarm pumping;
};

/// `yaml` reads the keys below `verify`.
VerifyConfig read_verify_config(ConfigReader yaml);

}  // namespace patchbay::twilio_sms
