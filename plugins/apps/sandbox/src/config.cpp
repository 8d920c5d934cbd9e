#include "config.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <patchbay/text.hpp>

namespace patchbay::sandbox {
namespace {

// Known to everybody, as the rest of the development configuration: the sandbox never runs in
// production.
constexpr std::string_view usual_token = "sandbox_auth_token";

// Its switches ask for no credentials, so nobody from outside may reach them.
bool is_loopback(std::string_view address) {
    constexpr std::array<std::string_view, 3> hosts{"127.0.0.1:", "[::1]:", "localhost:"};
    return std::any_of(hosts.begin(), hosts.end(), [&](std::string_view host) {
        return address.starts_with(host) && address.size() > host.size();
    });
}

bool is_http(std::string_view url) {
    return url.starts_with("http://") || url.starts_with("https://");
}

}  // namespace

Config read_config(ConfigReader& yaml) {
    Config config{
        .listen = yaml.optional_text("listen", "127.0.0.1:8010",
                                     "Where Twilio is played; the api_base of the channel"),
        .account_sid = yaml.optional_text("account_sid", "AC00000000000000000000000000000001",
                                          "The account that may call"),
        .auth_token = yaml.optional_text("auth_token", usual_token,
                                         "Checks calls and signs webhooks; the channel's own"),
        .hub_url = yaml.optional_text("hub_url", "http://127.0.0.1:8000/hooks/sms/message",
                                      "Where messages of customers go: the channel's route"),
        .whatsapp_url =
            yaml.optional_text("whatsapp_url", "http://127.0.0.1:8000/api/whatsapp/twilio-webhook",
                               "Where WhatsApp messages of customers go"),
        .numbers = yaml.optional_list("numbers", "Senders of the account; none given: any"),
        .seed = yaml.optional_int("seed", 0, 0, std::numeric_limits<int64_t>::max(),
                                  "Makes ids repeatable; 0: other ids at every start"),
    };
    yaml.expect("listen", is_loopback(config.listen),
                "must be a loopback address and a port, such as \"127.0.0.1:8010\"");
    yaml.expect("hub_url", is_http(config.hub_url), "must begin with http:// or https://");
    yaml.expect("whatsapp_url", is_http(config.whatsapp_url),
                "must begin with http:// or https://");
    return config;
}

}  // namespace patchbay::sandbox
