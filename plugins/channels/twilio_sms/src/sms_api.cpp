#include "sms_api.hpp"

#include <Poco/JSON/Object.h>

#include <algorithm>
#include <twilio/errors.hpp>
#include <twilio/events.hpp>
#include <twilio/json.hpp>
#include <twilio/requests.hpp>

namespace patchbay::twilio_sms {
namespace {

using twilio::field_problem;
using twilio::json_answer;
using twilio::Problem;
using twilio::problem_answer;

constexpr milliseconds send_wait{10'000};
constexpr milliseconds send_deadline{12'000};  // The wait, and time to store.
constexpr size_t max_text_chars = 1600;

Poco::Dynamic::Var error_of(const messaging::MessageInfo& message) {
    if (message.status != DeliveryStatus::failed) return {};
    Poco::JSON::Object::Ptr error = new Poco::JSON::Object{Poco::JSON_PRESERVE_KEY_ORDER};
    error->set("code", message.code);
    error->set("reason", message.reason);
    return error;
}

Poco::JSON::Object message_json(const messaging::MessageInfo& message,
                                const std::string& default_from) {
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("id", message.id);
    json.set("to_phone", message.peer.value);
    json.set("from_phone", twilio::text_or_null(message.own.empty() ? default_from : message.own));
    json.set("message", message.text);
    json.set("status", status_word(message.status));
    json.set("provider_msg_id", twilio::text_or_null(message.provider_id));
    json.set("last_event_time", twilio::time_or_null(message.event_ms));
    json.set("created_at", twilio::time_or_null(message.created_ms));
    json.set("updated_at", twilio::time_or_null(std::max(message.created_ms, message.updated_ms)));
    json.set("error", error_of(message));
    return json;
}

Problem refusal(const messaging::MessageInfo& message) {
    return {.status = 422,
            .code = twilio::refusal_code(message.code),
            .title = "Twilio refused the message",
            .detail = message.reason,
            .members = {
                {"id", message.id}, {"provider_code", message.code}, {"reason", message.reason}}};
}

}  // namespace

std::string status_word(DeliveryStatus status) {
    switch (status) {
        case DeliveryStatus::sent:
            return "SENT";
        case DeliveryStatus::delivered:
        case DeliveryStatus::read:
            return "DELIVERED";
        case DeliveryStatus::failed:
            return "FAILED";
        case DeliveryStatus::expired:
            return "EXPIRED";
        case DeliveryStatus::cancelled:
            return "CANCELLED";
        case DeliveryStatus::unknown:
            return "UNKNOWN";
        default:
            return "QUEUED";
    }
}

std::vector<ApiRoute> SmsApi::routes() const {
    return {
        {.name = "send",
         .method = "POST",
         .path = "/api/sms/send/",
         .scope = "sms:send",
         .about = "Sends an SMS and waits up to 10 s for Twilio's answer",
         .deadline = send_deadline,
         .callers = {"owner", "admin", "agent", "expert"}},
        {.name = "status",
         .method = "GET",
         .path = "/api/sms/{uuid}/status/",
         .scope = "sms:read",
         .about = "What became of an SMS",
         .callers = {"owner", "admin", "agent", "expert"}},
    };
}

Response SmsApi::answer(const Call& call, const Request& request) const {
    return request.route == "send" ? send(call, request) : status(request);
}

SmsApi::Wanted SmsApi::read_wanted(const Poco::JSON::Object& body) {
    Wanted wanted;
    wanted.to = twilio::read_phone(body, "to_phone", true, wanted.errors);
    wanted.text = twilio::read_text(body, "message", true, wanted.errors);
    // Not always a phone: a short code or a sender's name is ours too.
    wanted.from = twilio::read_text(body, "from_phone", false, wanted.errors);
    return wanted;
}

std::optional<Problem> SmsApi::fault_in(const Wanted& wanted) const {
    if (!wanted.errors.empty()) return field_problem(wanted.errors);
    if (twilio::characters(wanted.text) > max_text_chars) {
        return Problem{422, "text_too_long", "The text is too long",
                       "message has more than 1600 characters."};
    }
    const auto numbers = config_.numbers();
    const bool is_ours = wanted.from.empty() ||
                         std::find(numbers.begin(), numbers.end(), wanted.from) != numbers.end();
    if (is_ours) return std::nullopt;
    return Problem{422, "unknown_from", "Not a number of this channel",
                   "from_phone is not a number of this channel."};
}

Response SmsApi::send(const Call& call, const Request& request) const {
    const auto body = twilio::parse_object(request.body);
    if (!body) {
        return problem_answer({400, "invalid_json", "Not JSON", "Expected a JSON object."},
                              request);
    }
    const Wanted wanted = read_wanted(*body);
    if (const auto fault = fault_in(wanted)) return problem_answer(*fault, request);

    try {
        return answer_for(host_.send_message(call, {.channel = twilio::own_instance(host_),
                                                    .to = Address::phone(wanted.to),
                                                    .text = wanted.text,
                                                    .author = request.user,
                                                    .key = twilio::once_key(request, "sms.send"),
                                                    .wait = send_wait,
                                                    .from = twilio::sms_address(wanted.from)}),
                          request);
    } catch (const Error& error) {
        if (error.kind != ErrorKind::refused || error.code.empty()) throw;
        return problem_answer({422, error.code, "The hub refused the message", error.what()},
                              request);
    }
}

Response SmsApi::answer_for(const messaging::MessageInfo& sent, const Request& request) const {
    if (sent.status == DeliveryStatus::failed) return problem_answer(refusal(sent), request);
    auto json = message_json(sent, config_.default_from);
    if (twilio::is_taken(sent.status)) return json_answer(201, json);
    json.set("status", "QUEUED");  // Whatever holds it up: the job goes on.
    json.set("provider_msg_id", Poco::Dynamic::Var{});
    return json_answer(202, json);
}

Response SmsApi::status(const Request& request) const {
    const auto found = request.params.find("uuid");
    const auto message =
        found == request.params.end() ? std::nullopt : host_.message(found->second);
    const bool is_ours =
        message && message->direction == "out" && message->channel == twilio::own_instance(host_);
    if (!is_ours) {
        return problem_answer({404, "unknown_id", "No such message", "There is no such message."},
                              request);
    }
    return json_answer(200, message_json(*message, config_.default_from));
}

}  // namespace patchbay::twilio_sms
