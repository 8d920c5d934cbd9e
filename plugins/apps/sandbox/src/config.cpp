#include "config.hpp"

#include <limits>

namespace patchbay::sandbox {
namespace {

// Its switches ask for no credentials, so nobody from outside may reach them.
bool is_loopback(std::string_view address) {
    for (const std::string_view host : {"127.0.0.1:", "[::1]:", "localhost:"}) {
        if (address.starts_with(host) && address.size() > host.size()) return true;
    }
    return false;
}

bool is_http(std::string_view url) {
    return url.empty() || url.starts_with("http://") || url.starts_with("https://");
}

}  // namespace

Config read_config(ConfigReader& yaml) {
    Config config{
        .listen = yaml.optional_text("listen", "127.0.0.1:4010",
                                     "Where Twilio is played; the api_base of the channel"),
        .account_sid = yaml.optional_text("account_sid", "AC00000000000000000000000000000000",
                                          "The account that may call"),
        .auth_token = yaml.required_secret("auth_token", "Checks calls and signs webhooks"),
        .hub_url = yaml.optional_text(
            "hub_url", "", "Where customers' messages go: the channel's route \"message\""),
        .numbers =
            yaml.optional_list("numbers", "Senders that belong to the account; none: all do"),
        .seed = yaml.optional_int("seed", 0, 0, std::numeric_limits<int64_t>::max(),
                                  "Makes ids repeatable; 0: other ids at every start"),
    };
    yaml.expect("listen", is_loopback(config.listen),
                "must be a loopback address and a port, such as \"127.0.0.1:4010\"");
    yaml.expect("hub_url", is_http(config.hub_url), "must begin with http:// or https://");
    return config;
}

}  // namespace patchbay::sandbox
