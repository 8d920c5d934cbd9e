// WhatsApp through Twilio Programmable Messaging.
//
//   in    POST message   one signed form for each message a customer sends
//   in    POST status    one signed form for each change in a delivery
//   out   POST /2010-04-01/Accounts/{account_sid}/Messages.json
//   out   GET  the same, to find a message whose answer was lost, and what came during an outage
//   API   /api/whatsapp/...: see whatsapp_api.hpp
// Source: https://www.twilio.com/docs/whatsapp/api

#include <Poco/JSON/Object.h>

#include <patchbay/sdk.hpp>
#include <patchbay/text.hpp>
#include <sstream>
#include <twilio/channel.hpp>
#include <twilio/errors.hpp>
#include <twilio/whatsapp.hpp>

#include "config.hpp"
#include "whatsapp_api.hpp"

namespace patchbay::twilio_whatsapp {
namespace {

// After a customer's last message; later only templates arrive.
// Source: https://www.twilio.com/docs/whatsapp/key-concepts#the-24-hour-window
constexpr milliseconds session_window = std::chrono::hours{24};

// Source: https://www.twilio.com/docs/whatsapp/api#rate-limits
constexpr uint32_t messages_per_second = 80;

class TwilioWhatsApp final : public Plugin,
                             public Channel,
                             public WebhookHandler,
                             public HttpApi,
                             public OperationHandler,
                             public HealthCheck {
public:
    TwilioWhatsApp(Config config, Host host)
        : config_(std::move(config)), host_(std::move(host)), api_(config_, host_) {
        host_.info("WhatsApp through Twilio is ready");
    }

    Capabilities capabilities() const override;
    SendResult send(const Call& call, const OutboundMessage& message) override;
    std::optional<SendResult> look_up(const Call& call, const OutboundMessage& message) override;
    std::vector<Event> list_since(const Call& call, int64_t since_ms) override;

    std::vector<Route> routes() const override;
    bool is_authentic(const Call& call, const Request& request) const override;
    std::vector<Event> receive(const Call& call, const Request& request) override;

    std::vector<ApiRoute> api_routes() const override { return api_.routes(); }
    Response answer(const Call& call, const Request& request) override {
        return api_.answer(call, request);
    }
    std::vector<OperationInfo> operations() const override { return api_.operations(); }
    std::string perform(const Call& call, const OperationInput& input) override {
        return api_.perform(call, input);
    }
    Health health(const Call& call) override { return api_.health(call); }

private:
    twilio::Draft draft_of(const OutboundMessage& message) const;
    void tell_operator(const SendResult& result) const;

    const Config config_;
    const Host host_;
    WhatsAppApi api_;
};

Capabilities TwilioWhatsApp::capabilities() const {
    return {
        .media = true,
        .templates = true,
        .delivery_status = true,
        .session_window = session_window,
        .max_text_chars = 1600,
        .max_media = 1,
        .per_second = messages_per_second,
        .look_up = true,
        .list_since = true,
        // The look-up settles nearly all; what it cannot see, a person should.
        .when_unknown = UnknownPolicy::hold,
    };
}

std::vector<Route> TwilioWhatsApp::routes() const {
    std::vector<Route> routes{twilio::webhook_route("message"), twilio::webhook_route("status")};
    routes[0].aliases = {"/api/whatsapp/twilio-webhook"};
    routes[1].aliases = {"/api/whatsapp/status-callback"};
    for (Route& route : routes) {
        route.methods = {"POST"};  // A GET is somebody who asks whether this is the right place.
        route.and_custom = !config_.verify_token.empty();
    }
    return routes;
}

// Twilio knows no such token: who has set one puts it into the URL (X7). The signature has been
// checked before, so a request without it is Twilio's all the same.
bool TwilioWhatsApp::is_authentic(const Call&, const Request& request) const {
    const auto in_url = request.query.find("verify_token");
    if (in_url != request.query.end()) {
        return equal_secrets(in_url->second, config_.verify_token.reveal());
    }
    const auto header = request.headers.find("x-verify-token");
    return header == request.headers.end() ||
           equal_secrets(header->second, config_.verify_token.reveal());
}

std::vector<Event> TwilioWhatsApp::receive(const Call&, const Request& request) {
    auto events = twilio::events_from(request, config_.account_sid, twilio::whatsapp_address);
    for (Event& event : events) {
        // What somebody chose is what they said, whatever stands in the body beside it.
        const auto button = event.extra.find("ButtonText");
        if (button != event.extra.end() && !button->second.empty()) event.text = button->second;
    }
    return events;
}

// A template goes by its content SID, which is all that Twilio knows of it.
std::string content_sid_of(const Template& from) {
    return from.provider_id.empty() ? from.name : from.provider_id;
}

std::string variables_of(const Template& from) {
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    for (size_t i = 0; i < from.params.size(); ++i) {
        json.set(std::to_string(i + 1), from.params[i]);
    }
    for (const auto& [name, value] : from.variables) json.set(name, value);
    if (json.size() == 0) return {};
    std::ostringstream text;
    json.stringify(text);
    return text.str();
}

twilio::Draft TwilioWhatsApp::draft_of(const OutboundMessage& message) const {
    twilio::Draft draft{
        .to = twilio::whatsapp_text(message.to),
        .from = message.from.value.empty() ? config_.from : twilio::whatsapp_text(message.from),
        .status_callback = twilio::status_url(host_.public_url("status"), message.id),
    };
    if (message.from_template) {
        draft.content_sid = content_sid_of(*message.from_template);
        draft.content_variables = variables_of(*message.from_template);
    } else {
        draft.text = message.text;
        draft.media_urls = twilio::media_urls(host_, message);
    }
    return draft;
}

// What will fail in the same way for every other message is no matter of this one alone.
void TwilioWhatsApp::tell_operator(const SendResult& result) const {
    if (!twilio::is_for_the_operator(result.code)) return;
    host_.error("Twilio refuses WhatsApp messages until somebody mends the account",
                {{"code", result.code}, {"reason", std::string{twilio::words_for(result.code)}}});
    host_.count("account_refusals_total", 1, {{"code", result.code}});
}

SendResult TwilioWhatsApp::send(const Call& call, const OutboundMessage& message) {
    const twilio::Draft draft = draft_of(message);
    if (message.from_template && !draft.content_sid.starts_with("HX")) {
        return SendResult::refused("", "the template has no content SID of Twilio's (HX...)");
    }
    const SendResult result =
        twilio::outcome_of(host_.http(call, twilio::creation_of(draft, config_.account())));
    tell_operator(result);
    return result;
}

std::optional<SendResult> TwilioWhatsApp::look_up(const Call& call,
                                                  const OutboundMessage& message) {
    return twilio::find_sent(host_, call, config_.account(), draft_of(message), message);
}

std::vector<Event> TwilioWhatsApp::list_since(const Call& call, int64_t since_ms) {
    return twilio::received_since(host_, call, config_.account(), {config_.from}, since_ms,
                                  twilio::whatsapp_address);
}

}  // namespace
PATCHBAY_PLUGIN(twilio_whatsapp, "1.0.0", TwilioWhatsApp, read_config, "http-client/1", "webhook/1")
}  // namespace patchbay::twilio_whatsapp
