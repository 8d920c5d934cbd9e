// Text messages through NewPlugin.
//
//   in    POST message    one form for each message a customer sends, with our key in X-Api-Key
//   out   POST /messages  one form for each message of ours
// Source: put the address of the provider's documentation here.

#include <patchbay/sdk.hpp>

namespace patchbay::new_plugin {
namespace {

struct Config {
    Secret token, inbound_key;
    std::string from;
    std::string api_base;
    milliseconds timeout;
};

// Runs twice: once to record the keys for checks, editors and documentation, once to read them.
Config read_config(ConfigReader& yaml) {
    const Config config{
        .token = yaml.required_secret("token", "Goes with every call to the provider"),
        .inbound_key = yaml.required_secret("inbound_key", "What the provider sends as X-Api-Key"),
        .from = yaml.required_text("from", "The number that messages come from"),
        .api_base = yaml.optional_text("api_base", "https://api.example.com", "Where the API is"),
        .timeout = yaml.optional_duration("timeout", std::chrono::seconds{10},
                                          "Longest wait for one call"),
    };
    yaml.expect("from", config.from.starts_with("+"), "must start with \"+\"");
    return config;
}

class NewPlugin final : public Plugin, public Channel, public WebhookHandler {
public:
    NewPlugin(Config config, Host host) : config_(std::move(config)), host_(host) {}

    Capabilities capabilities() const override { return {.max_text_chars = 1000}; }
    SendResult send(const Call& call, const OutboundMessage& message) override;

    std::vector<Route> routes() const override;  // Each names its signature; the hub checks it.
    std::vector<Event> receive(const Call& call, const Request& request) override;

private:
    const Config config_;
    const Host host_;
};

// What the provider says in an answer; nothing where it cannot be read.
Form fields_of(const Response& answer) try {
    return Form::parse(answer.body);
} catch (const RequestError&) {
    return {};
}

SendResult NewPlugin::send(const Call& call, const OutboundMessage& message) {
    const Form form{{"to", message.to.value},
                    {"from", message.from.value.empty() ? config_.from : message.from.value},
                    {"text", message.text},
                    {"reference", message.id}};  // The same on every retry.
    const Response answer =
        host_.http(call,
                   {.method = "POST",
                    .url = config_.api_base + "/messages",
                    .body = form.encode(),
                    .headers = {{"authorization", "Bearer " + config_.token.reveal()},
                                {"content-type", "application/x-www-form-urlencoded"}}},
                   {.timeout = config_.timeout});

    const Form fields = fields_of(answer);
    const std::string code = fields.value_or("code", ""), reason = fields.value_or("reason", "");
    if (answer.ok() && fields.has("id")) return SendResult::accepted(fields.require("id"));
    if (answer.ok()) return SendResult::unknown(code, "the answer has no id");
    if (answer.status == 401 || answer.status == 403) throw Error(ErrorKind::unauthorized, reason);
    if (answer.status == 429 || answer.status == 503)
        return SendResult::retry_later(code, reason, answer.retry_after());
    if (answer.status >= 500) return SendResult::unknown(code, reason);  // It may have gone out.
    return SendResult::refused(code, reason);
}

std::vector<Route> NewPlugin::routes() const {
    return {{.name = "message",
             .body = RouteBody::form,
             .signature = Signature::shared_header,
             .secret = "inbound_key",
             .header = "x-api-key",
             .about = "A message of a customer"}};
}

// Stores nothing, and makes the same events of the same request: it may be repeated.
std::vector<Event> NewPlugin::receive(const Call&, const Request& request) {
    const Form form = Form::parse(request.body);
    const std::string id = form.require("id");
    return {{
        .topic = "message.received",
        .dedupe_key = "message:" + id,
        .provider_id = id,
        .kind = "text",
        .text = form.value_or("text", ""),
        .from = Address::phone(form.require("from")),
        .to = Address::phone(form.require("to")),
    }};
}

}  // namespace
PATCHBAY_PLUGIN(new_plugin, "0.1.0", NewPlugin, read_config, "http-client/1")
}  // namespace patchbay::new_plugin
