#include "config.hpp"

namespace patchbay::acme_sms {
namespace {

bool is_url(const std::string& text) {
    return text.starts_with("https://") || text.starts_with("http://");
}

}  // namespace

Config read_config(ConfigReader& yaml) {
    const Config config{
        .api_key = yaml.required_secret("api_key", "Goes with every call; from Acme's console"),
        .signing_key = yaml.required_secret("signing_key", "Acme signs its webhooks with it"),
        .from = yaml.required_text("from", "The number that messages come from"),
        .api_base = yaml.optional_text("api_base", "https://api.acme.example", "Where the API is"),
        .timeout = yaml.optional_duration("timeout", std::chrono::seconds{10},
                                          "Longest wait for one call"),
    };
    yaml.expect("from", config.from.starts_with("+"), "must start with \"+\"");
    yaml.expect("api_base", is_url(config.api_base), "must begin with https:// or http://");
    return config;
}

}  // namespace patchbay::acme_sms
