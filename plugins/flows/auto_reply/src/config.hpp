#pragma once
#include <optional>
#include <patchbay/sdk.hpp>
#include <vector>

#include "rules.hpp"

namespace patchbay::auto_reply {

struct Config {
    std::vector<Rule> rules;
    std::optional<Reply> otherwise;
};

Config read_config(ConfigReader& yaml);

}  // namespace patchbay::auto_reply
