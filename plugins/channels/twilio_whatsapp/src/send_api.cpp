#include "send_api.hpp"

#include <sstream>
#include <twilio/errors.hpp>
#include <twilio/json.hpp>
#include <twilio/requests.hpp>

#include "shapes.hpp"

namespace patchbay::twilio_whatsapp {
namespace {

constexpr milliseconds send_wait{10'000};
// Five equal texts to one number in a minute: the next is free when the oldest is a fifth of a
// minute further away.
constexpr milliseconds flood_wait{12'000};

std::string reason_of(const messaging::MessageInfo& sent) {
    if (!sent.reason.empty()) return sent.reason;
    const std::string_view words = twilio::words_for(sent.code);
    return std::string{words.empty() ? "Twilio gave no reason." : words};
}

Response answer_for(const messaging::MessageInfo& sent, const Request& request) {
    if (sent.status == DeliveryStatus::failed) {
        const std::string reason = reason_of(sent);
        return failed_answer(
            {.status = 422,
             .code = twilio::refusal_code(sent.code),
             .title = "Twilio refused the message",
             .detail = reason,
             .members = {{"id", sent.id}, {"provider_code", sent.code}, {"reason", reason}}},
            request);
    }
    const bool taken = twilio::is_taken(sent.status);
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("success", true);
    json.set("id", sent.id);
    json.set("message_id", twilio::text_or_null(taken ? sent.provider_id : ""));
    json.set("status", taken ? status_word(sent.status) : "queued");
    json.set("timestamp", twilio::time_or_null(sent.created_ms));
    json.set("error", Poco::Dynamic::Var{});
    return twilio::json_answer(taken ? 200 : 202, json);
}

// Refused before there was a message; anything else is the hub's to answer.
Response refusal_for(const Error& error, const Request& request) {
    if (error.kind == ErrorKind::rate_limited) {
        return failed_answer({.status = 429,
                              .code = "rate_limited",
                              .title = "Too many requests",
                              .detail = error.what(),
                              .retry_after = flood_wait},
                             request);
    }
    return failed_answer({.status = 422,
                          .code = error.code,
                          .title = "The hub refused the message",
                          .detail = error.what()},
                         request);
}

}  // namespace

SendApi::Wanted SendApi::read_wanted(const Poco::JSON::Object& body) {
    Wanted wanted;
    const std::string number = twilio::read_text(body, "phone_number", true, wanted.errors);
    if (wanted.errors.empty()) {
        wanted.to = recipient_in(number);
        if (wanted.to.value.empty()) {
            wanted.errors.push_back({"phone_number", "invalid_phone_number", needs_country_code});
        }
    }
    wanted.content = read_content(body, wanted.errors);
    return wanted;
}

messaging::NewMessage SendApi::message_of(const Wanted& wanted) const {
    return {.channel = twilio::own_instance(host_),
            .to = wanted.to,
            .text = wanted.content.text,
            .media = wanted.content.media,
            .from_template = wanted.content.from_template,
            .kind = wanted.content.kind};
}

Response SendApi::send(const Call& call, const Request& request) const {
    const auto body = twilio::parse_object(request.body);
    if (!body) {
        return failed_answer({400, "invalid_json", "Not JSON", "Expected a JSON object."}, request);
    }
    const Wanted wanted = read_wanted(*body);
    if (!wanted.errors.empty()) {
        return failed_answer(twilio::field_problem(wanted.errors, 422), request);
    }
    messaging::NewMessage message = message_of(wanted);
    message.author = request.user;
    message.key = twilio::once_key(request, "whatsapp.send");
    message.wait = send_wait;
    try {
        return answer_for(host_.send_message(call, message), request);
    } catch (const Error& error) {
        const bool is_refusal = error.kind == ErrorKind::refused && !error.code.empty();
        if (!is_refusal && error.kind != ErrorKind::rate_limited) throw;
        return refusal_for(error, request);
    }
}

std::string SendApi::perform(const Call& call, const OperationInput& input) const {
    if (input.name != "send") throw Error(ErrorKind::unsupported, "no operation " + input.name);
    const auto body = twilio::parse_object(input.input);
    if (!body) throw RequestError(400, "the input is no JSON object");
    const Wanted wanted = read_wanted(*body);
    if (!wanted.errors.empty()) {
        throw RequestError(422, wanted.errors.front().field + " " + wanted.errors.front().detail);
    }
    messaging::NewMessage message = message_of(wanted);
    message.key = "operation:" + input.caller + ":" + input.key;
    const messaging::MessageInfo queued = host_.send_message(call, message);
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("id", queued.id);
    json.set("status", status_word(queued.status));
    std::ostringstream text;
    json.stringify(text);
    return text.str();
}

}  // namespace patchbay::twilio_whatsapp
