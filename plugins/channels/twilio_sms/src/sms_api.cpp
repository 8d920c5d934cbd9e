#include "sms_api.hpp"

#include <Poco/DateTimeFormatter.h>
#include <Poco/JSON/Object.h>
#include <Poco/Timestamp.h>

#include <algorithm>
#include <patchbay/text.hpp>
#include <sstream>
#include <twilio/events.hpp>
#include <twilio/json.hpp>
#include <twilio/status.hpp>

namespace patchbay::twilio_sms {
namespace {

constexpr milliseconds send_wait{10'000};
constexpr milliseconds send_deadline{12'000};  // The wait, and time to store.
constexpr size_t max_text_chars = 1600;

size_t characters(std::string_view text) {
    return static_cast<size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

Poco::Dynamic::Var text_or_null(const std::string& text) {
    return text.empty() ? Poco::Dynamic::Var{} : Poco::Dynamic::Var{text};
}

Poco::Dynamic::Var time_or_null(int64_t ms) {
    if (ms == 0) return {};
    return Poco::DateTimeFormatter::format(Poco::Timestamp{ms * 1000}, "%Y-%m-%dT%H:%M:%S.%iZ");
}

// One field of text. Adds to `errors` what is wrong with it.
std::string read_text(const Poco::JSON::Object& body, const std::string& field, bool required,
                      std::vector<FieldError>& errors) {
    const auto value = body.get(field);
    if (value.isEmpty()) {
        if (required) errors.push_back({field, "missing_field", "is required"});
        return {};
    }
    if (!value.isString()) {
        errors.push_back({field, "invalid_field", "must be a text"});
        return {};
    }
    std::string text = value.extract<std::string>();
    if (required && trim(text).empty()) {
        errors.push_back({field, "invalid_field", "must not be empty"});
    }
    return text;
}

std::string read_phone(const Poco::JSON::Object& body, const std::string& field, bool required,
                       std::vector<FieldError>& errors) {
    const size_t faults = errors.size();
    const std::string text = read_text(body, field, required, errors);
    if (errors.size() > faults || text.empty()) return {};
    std::string phone = e164(text);
    if (phone.empty()) errors.push_back({field, "invalid_phone_number", "is not a phone number"});
    return phone;
}

bool is_taken(const messaging::MessageInfo& message) {
    switch (message.status) {
        case DeliveryStatus::accepted:
        case DeliveryStatus::sent:
        case DeliveryStatus::delivered:
        case DeliveryStatus::read:
            return true;
        default:
            return false;
    }
}

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
    json.set("from_phone", text_or_null(message.own.empty() ? default_from : message.own));
    json.set("message", message.text);
    json.set("status", status_word(message.status));
    json.set("provider_msg_id", text_or_null(message.provider_id));
    json.set("last_event_time", time_or_null(message.event_ms));
    json.set("created_at", time_or_null(message.created_ms));
    json.set("updated_at", time_or_null(std::max(message.created_ms, message.updated_ms)));
    json.set("error", error_of(message));
    return json;
}

Response json_answer(int status, const Poco::JSON::Object& json) {
    std::ostringstream body;
    json.stringify(body);
    return {status, body.str(), {{"content-type", "application/json"}}};
}

// Source: https://www.twilio.com/docs/api/errors
std::string refusal_code(const std::string& provider_code) {
    if (provider_code == twilio::recipient_opted_out) return "recipient_opted_out";
    if (provider_code == "21211" || provider_code == "21614") return "invalid_phone_number";
    return "provider_refused";
}

// A repeated request with the same Idempotency-Key is the same message. Keys of two callers are
// not.
std::string key_of(const Request& request) {
    const std::string key = request.header("idempotency-key");
    return key.empty() ? key : "sms.send:" + request.user + ":" + key;
}

Problem refusal(const messaging::MessageInfo& message) {
    return {.status = 422,
            .code = refusal_code(message.code),
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

std::string e164(std::string_view text) {
    // A plus that was not encoded in a form or query arrives as a space.
    const bool lost_plus = text.starts_with(' ');
    text = trim(text);
    if (text.starts_with("whatsapp:")) text.remove_prefix(9);
    const bool has_plus = text.starts_with('+');
    if (has_plus) text.remove_prefix(1);
    std::string digits;
    for (const char c : text) {
        if (c >= '0' && c <= '9') {
            digits += c;
        } else if (std::string_view{" -()./"}.find(c) == std::string_view::npos) {
            return {};
        }
    }
    const bool has_zeros = !has_plus && !lost_plus && digits.starts_with("00");
    if (has_zeros) digits.erase(0, 2);
    // Bare digits are taken for a number with its country only where they are long enough to be
    // one.
    const size_t least = has_plus || lost_plus || has_zeros ? 7 : 10;
    const bool fits = digits.size() >= least && digits.size() <= 15 && digits.front() != '0';
    return fits ? "+" + digits : std::string{};
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
    wanted.to = read_phone(body, "to_phone", true, wanted.errors);
    wanted.text = read_text(body, "message", true, wanted.errors);
    // Not always a phone: a short code or a sender's name is ours too.
    wanted.from = read_text(body, "from_phone", false, wanted.errors);
    return wanted;
}

std::optional<Problem> SmsApi::fault_in(const Wanted& wanted) const {
    if (!wanted.errors.empty()) return field_problem(wanted.errors);
    if (characters(wanted.text) > max_text_chars) {
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
        return answer_for(host_.send_message(call, {.channel = own_instance(),
                                                    .to = Address::phone(wanted.to),
                                                    .text = wanted.text,
                                                    .author = request.user,
                                                    .key = key_of(request),
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
    if (is_taken(sent)) return json_answer(201, json);
    json.set("status", "QUEUED");  // Whatever holds it up: the job goes on.
    json.set("provider_msg_id", Poco::Dynamic::Var{});
    return json_answer(202, json);
}

Response SmsApi::status(const Request& request) const {
    const auto found = request.params.find("uuid");
    const auto message =
        found == request.params.end() ? std::nullopt : host_.message(found->second);
    const bool is_ours =
        message && message->direction == "out" && message->channel == own_instance();
    if (!is_ours) {
        return problem_answer({404, "unknown_id", "No such message", "There is no such message."},
                              request);
    }
    return json_answer(200, message_json(*message, config_.default_from));
}

// From ".../hooks/{instance}/status".
std::string SmsApi::own_instance() const {
    std::string url = host_.public_url("status");
    url.resize(url.rfind('/'));
    return url.substr(url.rfind('/') + 1);
}

}  // namespace patchbay::twilio_sms
