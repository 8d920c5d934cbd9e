// A webhook for each way to sign one, to copy a route from. The end-to-end tests send them all.
//
//   in    POST meta       X-Hub-Signature-256, as Meta signs; GET is its handshake
//   in    POST key        a secret in a header of its own
//   in    POST bearer     a secret as bearer token
//   in    POST standard   Standard Webhooks
//   in    POST custom     what the core does not know: this file checks it

#include <meta/handshake.hpp>
#include <patchbay/sdk.hpp>
#include <patchbay/text.hpp>

namespace patchbay::signed_hooks {
namespace {

struct Config {
    Secret secret, secret_previous, verify_token;
};

Config read_config(ConfigReader& yaml) {
    return {
        .secret = yaml.required_secret("secret", "What the sender signs with"),
        .secret_previous = yaml.optional_secret("secret_previous", "Taken while it is changed"),
        .verify_token = yaml.optional_secret("verify_token", "Of Meta's handshake"),
    };
}

Route signed_route(const char* name, Signature signature, const char* header = "") {
    return {.name = name,
            .signature = signature,
            .secret = "secret",
            .previous_secret = "secret_previous",
            .header = header};
}

class SignedHooks final : public Plugin, public WebhookHandler {
public:
    SignedHooks(Config config, Host host) : config_(std::move(config)), host_(host) {}

    std::vector<Route> routes() const override {
        return {
            signed_route("meta", Signature::meta_sha256),
            {.name = "meta",
             .methods = {"GET"},
             .signature = Signature::none,  // Its verify token is looked at in respond().
             .answering = Answering::computed},
            signed_route("key", Signature::shared_header, "x-api-key"),
            signed_route("bearer", Signature::shared_header, "authorization"),
            signed_route("standard", Signature::standard_webhooks),
            signed_route("custom", Signature::custom),
        };
    }

    bool is_authentic(const Call&, const Request& request) const override {
        const auto given = request.headers.find("x-mirrored-secret");
        if (given == request.headers.end()) return false;
        const std::string& secret = config_.secret.reveal();
        return equal_secrets(given->second, std::string(secret.rbegin(), secret.rend()));
    }

    Response respond(const Call&, const Request& request) override {
        return meta::answer_handshake(request, config_.verify_token.reveal());
    }

    std::vector<Event> receive(const Call&, const Request& request) override {
        if (request.method == "GET") return {};
        host_.count("bodies", 1, {{"route", request.route}});
        return {{
            .topic = "hook.received",
            .dedupe_key = request.route + ":" + request.id,
            .data = R"({"bytes":)" + std::to_string(request.body.size()) + "}",
        }};
    }

private:
    const Config config_;
    const Host host_;
};

}  // namespace
PATCHBAY_PLUGIN(signed_hooks, "1.0.0", SignedHooks, read_config)
}  // namespace patchbay::signed_hooks
