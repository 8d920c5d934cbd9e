// SMS and MMS through Twilio Programmable Messaging.
//
//   in    POST message   one signed form for each message a customer sends
//   in    POST status    one signed form for each change in a delivery
//   out   POST /2010-04-01/Accounts/{account_sid}/Messages.json
//   out   GET  the same, to find a message whose answer was lost, and what came during an outage
//   out   POST /v2/Services/{service_sid}/Verifications, VerificationCheck   where Twilio makes
//   codes
// Source: https://www.twilio.com/docs/messaging/guides/webhook-request

#include <patchbay/sdk.hpp>
#include <twilio/channel.hpp>

#include "config.hpp"
#include "sms_api.hpp"
#include "verify_api.hpp"

namespace patchbay::twilio_sms {
namespace {

class TwilioSms final : public Plugin,
                        public Channel,
                        public WebhookHandler,
                        public HttpApi,
                        public HealthCheck {
public:
    TwilioSms(Config config, Host host)
        : config_(std::move(config)),
          host_(std::move(host)),
          api_(config_, host_),
          verify_api_(config_, host_) {
        if (config_.verify.allowed_countries.empty()) {
            host_.info("no verification codes are sent: verify.allowed_countries is empty");
        }
    }

    Capabilities capabilities() const override;
    SendResult send(const Call& call, const OutboundMessage& message) override;
    std::optional<SendResult> look_up(const Call& call, const OutboundMessage& message) override;
    std::vector<Event> list_since(const Call& call, int64_t since_ms) override;

    std::vector<Route> routes() const override;
    std::vector<Event> receive(const Call& call, const Request& request) override;

    std::vector<ApiRoute> api_routes() const override;
    Response answer(const Call& call, const Request& request) override {
        const bool is_verify = VerifyApi::has(request.route);
        return is_verify ? verify_api_.answer(call, request) : api_.answer(call, request);
    }

    Health health(const Call&) override { return verify_api_.health(); }

private:
    twilio::Draft draft_of(const OutboundMessage& message) const;

    const Config config_;
    const Host host_;
    SmsApi api_;
    VerifyApi verify_api_;
};

Capabilities TwilioSms::capabilities() const {
    return {
        .media = true,
        .delivery_status = true,
        .max_text_chars = 1600,
        .max_media = 10,
        .look_up = true,
        .list_since = true,
        // The look-up settles nearly all; what it cannot see, a person should.
        .when_unknown = UnknownPolicy::hold,
    };
}

std::vector<Route> TwilioSms::routes() const {
    // Both take both: which one a form is, its fields tell.
    return {twilio::webhook_route("message"), twilio::webhook_route("status")};
}

std::vector<ApiRoute> TwilioSms::api_routes() const {
    std::vector<ApiRoute> routes = api_.routes();
    for (ApiRoute& route : verify_api_.routes()) routes.push_back(std::move(route));
    return routes;
}

std::vector<Event> TwilioSms::receive(const Call&, const Request& request) {
    return twilio::events_from(request, config_.account_sid, twilio::sms_address);
}

twilio::Draft TwilioSms::draft_of(const OutboundMessage& message) const {
    twilio::Draft draft{
        .to = message.to.value,
        .from = message.from.value,
        .messaging_service_sid = config_.messaging_service_sid,
        .text = message.text,
        .media_urls = twilio::media_urls(host_, message),
        .status_callback = twilio::status_url(host_.public_url("status"), message.id),
    };
    if (draft.from.empty() && draft.messaging_service_sid.empty())
        draft.from = config_.default_from;
    return draft;
}

SendResult TwilioSms::send(const Call& call, const OutboundMessage& message) {
    const twilio::Draft draft = draft_of(message);
    if (draft.from.empty() && draft.messaging_service_sid.empty()) {
        return SendResult::refused("", "neither default_from nor messaging_service_sid is set");
    }
    return twilio::outcome_of(host_.http(call, twilio::creation_of(draft, config_.account())));
}

std::optional<SendResult> TwilioSms::look_up(const Call& call, const OutboundMessage& message) {
    return twilio::find_sent(host_, call, config_.account(), draft_of(message), message);
}

std::vector<Event> TwilioSms::list_since(const Call& call, int64_t since_ms) {
    // Without numbers of its own the channel has a Messaging Service: then all of the account.
    return twilio::received_since(host_, call, config_.account(), config_.numbers(), since_ms,
                                  twilio::sms_address);
}

}  // namespace
PATCHBAY_PLUGIN(twilio_sms, "1.1.0", TwilioSms, read_config, "http-client/1", "webhook/1",
                "clock/1", "kv/1", "crypto/1")
}  // namespace patchbay::twilio_sms
