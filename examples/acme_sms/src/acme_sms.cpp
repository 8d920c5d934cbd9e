// SMS through Acme, a provider that does not exist: a channel as somebody else would write it.
//
//   in    POST message   one signed form for each message a customer sends
//   in    POST status    one signed form for each change in a delivery
//   out   POST /v1/messages
// Forms both ways; X-Acme-Signature is the HMAC-SHA256 of the body under the signing key, in hex.

#include <array>
#include <patchbay/sdk.hpp>

#include "config.hpp"

namespace patchbay::acme_sms {
namespace {

// The one code that changes what the hub does next; the others pass through as they come.
const std::string recipient_opted_out = "stopped";

class AcmeSms final : public Plugin, public Channel, public WebhookHandler, public HealthCheck {
public:
    AcmeSms(Config config, Host host) : config_(std::move(config)), host_(host) {}

    Capabilities capabilities() const override;
    SendResult send(const Call& call, const OutboundMessage& message) override;

    std::vector<Route> routes() const override;
    bool is_authentic(const Call& call, const Request& request) const override;
    std::vector<Event> receive(const Call& call, const Request& request) override;

    Health health(const Call& call) override;

private:
    Request call_of(const char* method, const std::string& path, std::string body = {}) const;

    const Config config_;
    const Host host_;
};

Capabilities AcmeSms::capabilities() const {
    return {
        .delivery_status = true,
        .honours_id = true,  // Acme drops a repeat of `reference`.
        .max_text_chars = 918,
    };
}

Request AcmeSms::call_of(const char* method, const std::string& path, std::string body) const {
    return {.method = method,
            .url = config_.api_base + path,
            .body = std::move(body),
            .headers = {{"authorization", "Bearer " + config_.api_key.reveal()},
                        {"content-type", "application/x-www-form-urlencoded"}}};
}

// What Acme says in an answer; nothing where it cannot be read.
Form fields_of(const Response& answer) try {
    return Form::parse(answer.body);
} catch (const RequestError&) {
    return {};
}

SendResult outcome_of(const Response& answer) {
    const Form fields = fields_of(answer);
    const std::string code = fields.value_or("code", ""), reason = fields.value_or("reason", "");
    if (answer.ok() && fields.has("id")) return SendResult::accepted(fields.require("id"));
    if (answer.ok()) return SendResult::unknown(code, "the answer has no id");
    if (answer.status == 401 || answer.status == 403) throw Error(ErrorKind::unauthorized, reason);
    if (answer.status == 429 || answer.status == 503)
        return SendResult::retry_later(code, reason, answer.retry_after());
    if (answer.status >= 500) return SendResult::unknown(code, reason);  // It may have gone out.
    if (code == recipient_opted_out) return SendResult::opted_out(code, reason);
    return SendResult::refused(code, reason);
}

SendResult AcmeSms::send(const Call& call, const OutboundMessage& message) {
    const Form form{{"to", message.to.value},
                    {"from", message.from.value.empty() ? config_.from : message.from.value},
                    {"text", message.text},
                    {"reference", message.id},
                    {"status_url", host_.public_url("status")}};
    return outcome_of(host_.http(call, call_of("POST", "/v1/messages", form.encode()),
                                 {.timeout = config_.timeout}));
}

std::vector<Route> AcmeSms::routes() const {
    std::vector<Route> routes;
    for (const char* name : {"message", "status"})
        routes.push_back({.name = name, .body = RouteBody::form, .signature = Signature::custom});
    return routes;
}

bool AcmeSms::is_authentic(const Call&, const Request& request) const {
    const std::string expected =
        to_hex(host_.hmac("sha256", config_.signing_key.reveal(), request.body));
    return equal_secrets(request.header("x-acme-signature"), expected);
}

Event message_from(const Form& form) {
    const std::string id = form.require("id");
    return {
        .topic = "message.received",
        .dedupe_key = "message:" + id,
        .provider_id = id,
        .kind = "text",
        .text = form.value_or("text", ""),
        .from = Address::phone(form.require("from")),
        .to = Address::phone(form.require("to")),
    };
}

// A word that is not here changes nothing: the request is kept as ignored.
DeliveryStatus status_from(const std::string& word) {
    static constexpr std::array<std::pair<std::string_view, DeliveryStatus>, 3> words{{
        {"sent", DeliveryStatus::sent},
        {"arrived", DeliveryStatus::delivered},
        {"failed", DeliveryStatus::failed},
    }};
    for (const auto& [name, status] : words)
        if (name == word) return status;
    throw RequestError(400, "Acme does not list this status");
}

Event status_change_from(const Form& form) {
    const std::string id = form.require("id"), word = form.require("status");
    return {
        .topic = "delivery.changed",
        .dedupe_key = "status:" + id + ":" + word,
        .provider_id = id,
        .code = form.value_or("code", ""),
        .reason = form.value_or("reason", ""),
        .our_message_id = form.value_or("reference", ""),
        .status = status_from(word),
    };
}

std::vector<Event> AcmeSms::receive(const Call&, const Request& request) {
    const Form form = Form::parse(request.body);
    return {request.route == "status" ? status_change_from(form) : message_from(form)};
}

Health AcmeSms::health(const Call& call) {
    const Response answer = host_.http(call, call_of("GET", "/v1/account"));
    if (answer.ok()) return {};
    return {.state = Health::degraded, .text = "Acme answered " + std::to_string(answer.status)};
}

}  // namespace
PATCHBAY_PLUGIN(acme_sms, "1.0.0", AcmeSms, read_config, "http-client/1", "webhook/1", "crypto/1")
}  // namespace patchbay::acme_sms
