#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

namespace patchbay::sandbox {

struct Config {
    std::string listen;
    std::string account_sid;
    std::string auth_token;
    std::string hub_url;
    std::string whatsapp_url;
    std::vector<std::string> numbers;
    int64_t seed;
};

Config read_config(ConfigReader& yaml);

}  // namespace patchbay::sandbox
