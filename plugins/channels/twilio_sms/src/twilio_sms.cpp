// SMS and MMS through Twilio Programmable Messaging.
//
//   in    POST message   one signed form for each message a customer sends
//   in    POST status    one signed form for each change in a delivery
//   out   POST /2010-04-01/Accounts/{account_sid}/Messages.json
//   out   GET  the same, to find a message whose answer was lost, and what came during an outage
// Source: https://www.twilio.com/docs/messaging/guides/webhook-request

#include <algorithm>
#include <patchbay/sdk.hpp>
#include <twilio/events.hpp>
#include <twilio/messages.hpp>
#include <twilio/status.hpp>

#include "config.hpp"
#include "links.hpp"
#include "sms_api.hpp"

namespace patchbay::twilio_sms {
namespace {

// Any other body of a 200 would be sent to the customer as a reply.
// Source: https://www.twilio.com/docs/messaging/twiml
const Response empty_twiml{
    .status = 200,
    .body = R"(<?xml version="1.0" encoding="UTF-8"?><Response/>)",
    .headers = {{"content-type", "text/xml"}},
};

// A form of Twilio is a few kilobytes; the hub takes no more than this from anybody.
constexpr uint32_t max_webhook_bytes = 3u << 20;

// Twilio fetches a picture when the message is created, not when it is sent.
constexpr milliseconds media_link_time = std::chrono::minutes{10};

class TwilioSms final : public Plugin, public Channel, public WebhookHandler, public HttpApi {
public:
    TwilioSms(Config config, Host host)
        : config_(std::move(config)), host_(std::move(host)), api_(config_, host_) {}

    Capabilities capabilities() const override;
    SendResult send(const Call& call, const OutboundMessage& message) override;
    std::optional<SendResult> look_up(const Call& call, const OutboundMessage& message) override;
    std::vector<Event> list_since(const Call& call, int64_t since_ms) override;

    std::vector<Route> routes() const override;
    std::vector<Event> receive(const Call& call, const Request& request) override;

    std::vector<ApiRoute> api_routes() const override { return api_.routes(); }
    Response answer(const Call& call, const Request& request) override {
        return api_.answer(call, request);
    }

private:
    twilio::Draft draft_of(const OutboundMessage& message) const;

    const Config config_;
    const Host host_;
    SmsApi api_;
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
    std::vector<Route> routes;
    for (const char* name : {"message", "status"}) {
        routes.push_back({.name = name,
                          .methods = {"POST", "GET"},  // Which one, the console lets people choose.
                          .body = RouteBody::form,
                          .signature = Signature::twilio_sha1,
                          .secret = "auth_token",
                          .previous_secret = "auth_token_previous",
                          .answer = empty_twiml,
                          .max_body_bytes = max_webhook_bytes});
    }
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
        .status_callback = twilio::status_url(host_.public_url("status"), message.id),
    };
    if (draft.from.empty() && draft.messaging_service_sid.empty())
        draft.from = config_.default_from;
    for (const Media& media : message.media) {
        draft.media_urls.push_back(media.url.empty() ? host_.media_link(media.id, media_link_time)
                                                     : media.url);
    }
    return draft;
}

SendResult TwilioSms::send(const Call& call, const OutboundMessage& message) {
    const twilio::Draft draft = draft_of(message);
    if (draft.from.empty() && draft.messaging_service_sid.empty()) {
        return SendResult::refused("", "neither default_from nor messaging_service_sid is set");
    }
    return twilio::outcome_of(host_.http(call, twilio::creation_of(draft, config_.account())));
}

// Absent is proven when Twilio's list for these two numbers since the day of the first attempt was
// read to its end and holds no copy, or only copies that belong to other messages of ours. A list
// that breaks off throws, and Delivery holds the message.
std::optional<SendResult> TwilioSms::look_up(const Call& call, const OutboundMessage& message) {
    const twilio::Draft draft = draft_of(message);
    const int64_t since =
        message.first_tried_ms ? message.first_tried_ms : host_.now_ms() - 24 * 3'600'000;
    const auto records = twilio::list_messages(
        host_, call, config_.account(), {.to = draft.to, .from = draft.from, .since_ms = since});
    if (!twilio::find_copy(records, draft, since, {})) return std::nullopt;

    const auto linked = linked_to_others(host_, message, since);
    const twilio::Record* copy = twilio::find_copy(records, draft, since, linked);
    if (!copy) return std::nullopt;
    SendResult found = SendResult::accepted(copy->sid);
    found.status = twilio::delivery_status(copy->status).value_or(DeliveryStatus::none);
    found.code = copy->error_code;
    found.reason = copy->error_message;
    return found;
}

std::vector<Event> TwilioSms::list_since(const Call& call, int64_t since_ms) {
    // Without numbers of its own the channel has a Messaging Service: then all of the account.
    std::vector<std::string> numbers = config_.numbers();
    if (numbers.empty()) numbers.emplace_back();

    std::vector<twilio::Record> missed;
    for (const std::string& number : numbers) {
        for (auto& record : twilio::list_messages(host_, call, config_.account(),
                                                  {.to = number, .since_ms = since_ms})) {
            const bool counts = record.direction == "inbound" && record.at_ms() >= since_ms;
            if (counts) missed.push_back(std::move(record));
        }
    }
    std::sort(missed.begin(), missed.end(),
              [](const auto& a, const auto& b) { return a.at_ms() < b.at_ms(); });

    std::vector<Event> events;
    for (const twilio::Record& record : missed) {
        auto media = record.media ? twilio::list_media(host_, call, config_.account(), record.sid)
                                  : std::vector<Media>{};
        events.push_back(twilio::message_from(record, std::move(media), twilio::sms_address));
    }
    return events;
}

}  // namespace
PATCHBAY_PLUGIN(twilio_sms, "1.0.0", TwilioSms, read_config, "http-client/1", "webhook/1")
}  // namespace patchbay::twilio_sms
