// The smallest plugin: a channel that says hello into the log, and a webhook that believes what it
// is told.
//
//   in    POST message   the text itself
//   out   a line in the log

#include <patchbay/sdk.hpp>

namespace patchbay::hello {
namespace {

struct Config {
    std::string greeting;
};

// Runs twice: once to record the keys for checks and documentation, once to read them.
Config read_config(ConfigReader& yaml) {
    return {.greeting = yaml.optional_text("greeting", "Hello", "First word of every message")};
}

class Hello final : public Plugin, public Channel, public WebhookHandler {
public:
    Hello(Config config, Host host) : config_(std::move(config)), host_(host) {}

    Capabilities capabilities() const override { return {.max_text_chars = 160}; }

    SendResult send(const Call&, const OutboundMessage& message) override {
        host_.info(config_.greeting + " " + message.text, {{"id", message.id}});
        return SendResult::accepted("hello-" + message.id);
    }

    // Nobody signs it: a real provider does, and its route names the scheme.
    std::vector<Route> routes() const override {
        return {{.name = "message", .signature = Signature::none, .about = "A text as it is"}};
    }

    // The same request always makes the same event, so that it may be worked on twice.
    std::vector<Event> receive(const Call&, const Request& request) override {
        if (request.body.empty()) throw RequestError(400, "the body is empty");
        return {{
            .topic = "message.received",
            .dedupe_key = "message:" + request.id,
            .kind = "text",
            .text = request.body,
            .from = {"user", request.peer},
        }};
    }

private:
    Config config_;
    Host host_;
};

}  // namespace
PATCHBAY_PLUGIN(hello, "1.0.0", Hello, read_config)
}  // namespace patchbay::hello
