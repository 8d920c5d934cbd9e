#include "twilio_api.hpp"

#include <Poco/DateTime.h>
#include <Poco/DateTimeParser.h>
#include <Poco/JSON/Array.h>
#include <Poco/NumberParser.h>

#include <algorithm>
#include <array>
#include <patchbay/form.hpp>
#include <patchbay/text.hpp>
#include <sstream>

#include "whatsapp.hpp"

namespace patchbay::sandbox {
namespace {

constexpr size_t max_text_chars = 1600;
constexpr size_t max_media = 10;
constexpr unsigned default_page_size = 50, max_page_size = 1000;

constexpr std::array stop_words{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL",
                                "END",  "QUIT",    "REVOKE",      "OPTOUT"};
constexpr std::array start_words{"START", "YES", "UNSTOP"};

Response json_answer(int status, const Poco::JSON::Object& object) {
    std::ostringstream body;
    object.stringify(body);
    return {status, body.str(), {{"Content-Type", "application/json"}}};
}

size_t characters(std::string_view text) {
    return static_cast<size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

bool is_number(std::string_view text) {
    if (!text.starts_with('+')) return false;
    text.remove_prefix(1);
    return text.size() >= 7 && text.size() <= 15 && text.front() != '0' &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<Refused> fault_in(const Form& form, const std::vector<std::string>& numbers) {
    const std::string to = form.value_or("To", ""), from = form.value_or("From", "");
    const std::string body = form.value_or("Body", "");
    const size_t media = form.values("MediaUrl").size();
    if (is_whatsapp(to) || is_whatsapp(from)) return whatsapp_fault_in(form, numbers);
    if (to.empty()) return Refused{21604, "A 'To' phone number is required."};
    if (from.empty() && form.value_or("MessagingServiceSid", "").empty()) {
        return Refused{21603, "A 'From' phone number is required."};
    }
    if (body.empty() && media == 0) return Refused{21602, "Message body is required."};
    if (!is_number(to)) return Refused{21211, "The 'To' number is not a valid phone number."};
    if (characters(body) > max_text_chars) {
        return Refused{21617, "The concatenated message body exceeds the 1600 character limit."};
    }
    if (media > max_media) return Refused{21623, "Number of media files exceeds allowed limit."};
    const bool is_ours = from.empty() || numbers.empty() ||
                         std::find(numbers.begin(), numbers.end(), from) != numbers.end();
    if (!is_ours) {
        return Refused{21606, "The 'From' phone number is not a valid, message-capable number."};
    }
    return std::nullopt;
}

// "2026-11-20" is the beginning of that day, UTC.
int64_t day_ms(const Labels& query, const std::string& name) {
    const auto found = query.find(name);
    Poco::DateTime day;
    int zone = 0;
    if (found == query.end() ||
        !Poco::DateTimeParser::tryParse("%Y-%m-%d", found->second, day, zone)) {
        return 0;
    }
    return day.timestamp().epochMicroseconds() / 1000;
}

unsigned number_in(const Labels& query, const std::string& name, unsigned fallback) {
    const auto found = query.find(name);
    unsigned number = 0;
    if (found == query.end() || !Poco::NumberParser::tryParseUnsigned(found->second, number)) {
        return fallback;
    }
    return number;
}

std::string text_in(const Labels& query, const std::string& name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string{} : found->second;
}

std::string upper_word(std::string_view text) {
    std::string word{trim(text)};
    for (char& c : word) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    }
    return word;
}

// The same list, another page: everything of the query but Page stays.
std::string page_link(const std::string& path, const Labels& query, unsigned page) {
    Form link;
    for (const auto& [name, value] : query) {
        if (name != "Page") link.add(name, value);
    }
    link.add("Page", std::to_string(page));
    return path + "?" + link.encode();
}

}  // namespace

Response twilio_error(int status, int code, const std::string& message) {
    Poco::JSON::Object error{Poco::JSON_PRESERVE_KEY_ORDER};
    error.set("code", code);
    error.set("message", message);
    error.set("more_info", "https://www.twilio.com/docs/errors/" + std::to_string(code));
    error.set("status", status);
    return json_answer(status, error);
}

TwilioApi::TwilioApi(Settings settings, Ledger& ledger, Clock clock)
    : settings_(std::move(settings)), ledger_(ledger), clock_(std::move(clock)) {}

Response TwilioApi::answer(const Request& request, std::string& taken) {
    const std::string credentials =
        "Basic " + to_base64(settings_.account_sid + ":" + settings_.auth_token);
    if (!equal_secrets(request.header("authorization"), credentials)) {
        return twilio_error(401, 20003, "Authenticate");
    }
    const std::string path = request.url.substr(0, request.url.find('?'));
    const std::string messages = "/2010-04-01/Accounts/" + settings_.account_sid + "/Messages";
    if (path == messages + ".json") {
        if (request.method == "POST") return create(request, taken);
        if (request.method == "GET") return list(request);
        return twilio_error(405, 20004, "Method not allowed");
    }
    if (request.method == "GET" && path.starts_with(messages + "/") && path.ends_with(".json")) {
        return one(path.substr(messages.size() + 1, path.size() - messages.size() - 6));
    }
    return twilio_error(404, 20404, "The requested resource " + path + " was not found");
}

Response TwilioApi::create(const Request& request, std::string& taken) {
    // JSON is not read: its fields are as good as missing.
    const bool is_form =
        request.header("content-type").starts_with("application/x-www-form-urlencoded");
    const Form form = is_form ? Form::parse(request.body) : Form{};
    if (const auto fault = fault_in(form, settings_.numbers)) {
        return twilio_error(400, fault->code, fault->message);
    }
    const std::string service = form.value_or("MessagingServiceSid", "");
    Message message{
        .account_sid = settings_.account_sid,
        .from = form.value_or("From", ""),
        .to = form.require("To"),
        .body = form.value_or("Body", ""),
        .messaging_service_sid = service,
        .status = service.empty() ? "queued" : "accepted",
        .status_callback = form.value_or("StatusCallback", ""),
        .media = form.values("MediaUrl"),
        .content_sid = form.value_or("ContentSid", ""),
        .created_ms = clock_(),
    };
    message.updated_ms = message.created_ms;
    if (is_blocked(message.to, message.from)) {
        return twilio_error(400, 21610, "Attempt to send to unsubscribed recipient");
    }
    message = ledger_.take(std::move(message));
    taken = message.sid;
    return json_answer(201, *message_json(message));
}

Response TwilioApi::list(const Request& request) const {
    const Labels& query = request.query;
    const auto found = ledger_.list({.to = text_in(query, "To"),
                                     .from = text_in(query, "From"),
                                     .since_ms = day_ms(query, "DateSent>"),
                                     .before_ms = day_ms(query, "DateSent<")});
    const size_t size =
        std::clamp(number_in(query, "PageSize", default_page_size), 1u, max_page_size);
    const unsigned page = number_in(query, "Page", 0);
    const size_t first = std::min(found.size(), page * size);
    const size_t last = std::min(found.size(), first + size);

    Poco::JSON::Array::Ptr messages = new Poco::JSON::Array;
    for (size_t i = first; i < last; ++i) messages->add(message_json(found[i]));
    const std::string path = request.url.substr(0, request.url.find('?'));
    Poco::JSON::Object answer{Poco::JSON_PRESERVE_KEY_ORDER};
    answer.set("messages", messages);
    answer.set("page", page);
    answer.set("page_size", size);
    answer.set("uri", request.url);
    answer.set("next_page_uri", last < found.size()
                                    ? Poco::Dynamic::Var{page_link(path, query, page + 1)}
                                    : Poco::Dynamic::Var{});
    return json_answer(200, answer);
}

Response TwilioApi::one(const std::string& sid) const {
    const auto message = ledger_.find(sid);
    if (!message) return twilio_error(404, 20404, "The requested resource was not found");
    return json_answer(200, *message_json(*message));
}

void TwilioApi::note_consent(const std::string& customer, const std::string& number,
                             const std::string& text) {
    const std::string word = upper_word(text);
    const auto is_in = [&](const auto& words) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    std::lock_guard lock{mutex_};
    if (is_in(stop_words)) blocked_.insert({customer, number});
    if (is_in(start_words)) blocked_.erase({customer, number});
}

bool TwilioApi::is_blocked(const std::string& customer, const std::string& number) const {
    std::lock_guard lock{mutex_};
    return blocked_.contains({customer, number});
}

}  // namespace patchbay::sandbox
