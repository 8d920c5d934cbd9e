#include "requests.hpp"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>

#include <algorithm>
#include <patchbay/text.hpp>
#include <sstream>

#include "phone.hpp"

namespace patchbay::twilio {

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

Response json_answer(int status, const Poco::JSON::Object& json) {
    std::ostringstream body;
    json.stringify(body);
    return {status, body.str(), {{"content-type", "application/json"}}};
}

std::string once_key(const Request& request, const std::string& place) {
    const std::string key = request.header("idempotency-key");
    return key.empty() ? key : place + ":" + request.user + ":" + key;
}

bool is_taken(DeliveryStatus status) {
    switch (status) {
        case DeliveryStatus::accepted:
        case DeliveryStatus::sent:
        case DeliveryStatus::delivered:
        case DeliveryStatus::read:
            return true;
        default:
            return false;
    }
}

std::string own_instance(const Host& host) {
    std::string url = host.public_url("status");
    url.resize(url.rfind('/'));
    return url.substr(url.rfind('/') + 1);
}

}  // namespace patchbay::twilio
