#pragma once
#include <patchbay/sdk.hpp>
#include <string>

namespace patchbay::acme_sms {

struct Config {
    Secret api_key, signing_key;
    std::string from;
    std::string api_base;
    milliseconds timeout;
};

Config read_config(ConfigReader& yaml);

}  // namespace patchbay::acme_sms
