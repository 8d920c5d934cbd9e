#include "events.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/NumberParser.h>

#include <algorithm>
#include <array>
#include <patchbay/text.hpp>
#include <sstream>

#include "errors.hpp"
#include "status.hpp"
#include "whatsapp.hpp"

namespace patchbay::twilio {
namespace {

// Source: https://www.twilio.com/docs/messaging/guides/accepted-mime-types
constexpr int max_media = 10;

// Attributes that the core keeps are limited; what a provider adds some day must not break a
// message.
constexpr size_t max_extra_bytes = 12'000;

// Fields that became members of the event, or say nothing that another field does not.
constexpr std::array mapped_fields{
    "MessageSid",     "SmsSid",      "SmsMessageSid",
    "AccountSid",     "From",        "To",
    "Body",           "NumMedia",    "NumSegments",
    "SmsStatus",      "ApiVersion",  "Latitude",
    "Longitude",      "ProfileName", "OriginalRepliedMessageSid",
    "ExternalUserId",
};

bool is_mapped(const std::string& name) {
    return std::find(mapped_fields.begin(), mapped_fields.end(), name) != mapped_fields.end() ||
           name.starts_with("MediaUrl") || name.starts_with("MediaContentType");
}

std::string first_of(const Form& form, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        if (std::string value = form.value_or(name, ""); !value.empty()) return value;
    }
    return {};
}

// NumMedia is not asked: a wrong count must not cost a picture.
std::vector<Media> numbered_media(const Form& form) {
    std::vector<Media> media;
    for (int i = 0; i < max_media; ++i) {
        const std::string place = std::to_string(i);
        const std::string url = form.value_or("MediaUrl" + place, "");
        if (url.empty()) continue;
        media.push_back({.type = form.value_or("MediaContentType" + place, ""), .url = url});
    }
    return media;
}

Labels extra_fields(const Form& form) {
    Labels extra;
    size_t bytes = 0;
    for (const auto& [name, value] : form.all()) {
        if (value.empty() || is_mapped(name)) continue;
        bytes += name.size() + value.size();
        if (bytes > max_extra_bytes) break;
        extra[name] = value;
    }
    return extra;
}

struct Place {
    double latitude = 0, longitude = 0;
};

std::optional<Place> place_in(const Form& form) {
    Place place;
    if (!Poco::NumberParser::tryParseFloat(form.value_or("Latitude", ""), place.latitude) ||
        !Poco::NumberParser::tryParseFloat(form.value_or("Longitude", ""), place.longitude)) {
        return std::nullopt;
    }
    const bool on_earth = place.latitude >= -90 && place.latitude <= 90 &&
                          place.longitude >= -180 && place.longitude <= 180;
    return on_earth ? std::optional(place) : std::nullopt;
}

std::string location_json(const Form& form, const Place& place) {
    Poco::JSON::Object::Ptr location = new Poco::JSON::Object{Poco::JSON_PRESERVE_KEY_ORDER};
    location->set("latitude", place.latitude);
    location->set("longitude", place.longitude);
    for (const auto& [key, field] : {std::pair{"label", "Label"}, {"address", "Address"}}) {
        if (const std::string text = form.value_or(field, ""); !text.empty()) {
            location->set(key, text);
        }
    }
    Poco::JSON::Object data;
    data.set("location", location);
    std::ostringstream text;
    data.stringify(text);
    return text.str();
}

std::string kind_of_form(const Form& form, const std::vector<Media>& media, bool has_place) {
    if (has_place) return "location";
    const bool chosen =
        !first_of(form, {"ButtonText", "ButtonPayload", "ListId", "FlowData", "InteractiveData"})
             .empty();
    return chosen && media.empty() ? "interactive" : kind_of(media);
}

// An id of WhatsApp's that comes beside the phone, with and without its prefix.
std::vector<Address> other_addresses(const Form& form, const Address& from) {
    const Address other = whatsapp_address(form.value_or("ExternalUserId", ""));
    if (!is_user_id(other.value) || other == from) return {};
    return {other};
}

uint32_t parts_in(const Form& form) {
    unsigned parts = 0;
    return Poco::NumberParser::tryParseUnsigned(form.value_or("NumSegments", ""), parts) ? parts
                                                                                         : 0;
}

Event message_from(const Form& form, const std::string& sid, AddressReader address) {
    const auto media = numbered_media(form);
    const auto place = place_in(form);
    const Address from = address(form.require("From"));
    return {
        .topic = "message.received",
        .dedupe_key = "message:" + sid,
        .provider_id = sid,
        .kind = kind_of_form(form, media, place.has_value()),
        .text = form.value_or("Body", ""),
        .data = place ? location_json(form, *place) : "",
        .from = from,
        .to = address(form.value_or("To", "")),
        .media = media,
        .contact_name = std::string{trim(form.value_or("ProfileName", ""))},
        .reply_to = form.value_or("OriginalRepliedMessageSid", ""),
        .parts = parts_in(form),
        .extra = extra_fields(form),
        .also = other_addresses(form, from),
    };
}

// Ours is a UUID; whoever knows the URL may have written anything else.
std::string our_id_in(const Request& request) {
    const auto found = request.query.find("message");
    if (found == request.query.end() || found->second.size() > 64) return {};
    const bool plain = std::all_of(found->second.begin(), found->second.end(),
                                   [](char c) { return is_alphanumeric(c) || c == '-'; });
    return plain ? found->second : std::string{};
}

Event status_change_from(const Form& form, const std::string& sid, const std::string& word,
                         const Request& request, AddressReader address) {
    const auto status = delivery_status(word);
    if (!status) throw RequestError(422, "unknown_status");
    const std::string code = form.value_or("ErrorCode", "");
    const std::string reason = first_of(form, {"ErrorMessage", "ChannelStatusMessage"});
    return {
        .topic = "delivery.changed",
        .dedupe_key = "status:" + sid + ":" + word,
        .provider_id = sid,
        .code = code,
        .reason = reason.empty() ? std::string{words_for(code)} : reason,
        .from = address(form.value_or("From", "")),
        .to = address(form.value_or("To", "")),
        .our_message_id = our_id_in(request),
        .status = *status,
        .extra = {{"provider_status", word}},
    };
}

// Twilio keeps its own list of opted-out numbers; ours follows it, so that we ask no more.
Event consent_change(const std::string& sid, const char* state, const Address& who,
                     const Address& number, const std::string& code) {
    return {
        .topic = "consent.changed",
        .dedupe_key = "consent:" + sid + ":" + state,
        .provider_id = sid,
        .code = code,
        .from = who,
        .to = number,
        .extra = {{"state", state}, {"source", "provider"}},
    };
}

std::vector<Event> from_message(const Form& form, const std::string& sid, AddressReader address) {
    Event message = message_from(form, sid, address);
    const std::string change = form.value_or("OptOutType", "");
    std::vector<Event> events;
    // Before the message, so that nothing answers somebody who has just said STOP.
    if (change == "STOP" || change == "START") {
        events.push_back(
            consent_change(sid, change == "STOP" ? "out" : "in", message.from, message.to, ""));
    }
    events.push_back(std::move(message));
    return events;
}

std::vector<Event> from_status(const Form& form, const std::string& sid, const std::string& word,
                               const Request& request, AddressReader address) {
    Event change = status_change_from(form, sid, word, request, address);
    std::vector<Event> events{change};
    if (change.code == recipient_opted_out && !change.to.value.empty()) {
        events.push_back(consent_change(sid, "out", change.to, change.from, change.code));
    }
    return events;
}

}  // namespace

Address sms_address(std::string_view text) {
    std::string value{trim(text)};
    if (value.empty()) return {};
    const auto digits = [](std::string_view rest) {
        return !rest.empty() && rest.find_first_not_of("0123456789") == std::string_view::npos;
    };
    // A plus that was not encoded arrives as a space.
    if (text.starts_with(' ') && digits(value)) value = "+" + value;
    if (value.starts_with('+') && digits(std::string_view{value}.substr(1))) {
        return Address::phone(value);
    }
    return {"user", value};
}

std::string kind_of(const std::vector<Media>& media) {
    if (media.empty()) return "text";
    for (const char* kind : {"image", "audio", "video"}) {
        if (media.front().type.starts_with(kind)) return kind;
    }
    return "document";
}

Form form_from(std::string_view body) {
    std::string clean;
    clean.reserve(body.size());
    for (size_t i = 0; i < body.size();) {
        if (body.substr(i, 3) == "%00") {
            i += 3;
        } else if (body[i] == '\0') {
            ++i;
        } else {
            clean += body[i++];
        }
    }
    return Form::parse(clean);
}

// A webhook that is configured as GET has its parameters in the URL.
std::string parameters_of(const Request& request) {
    if (request.method != "GET") return request.body;
    const size_t mark = request.url.find('?');
    return mark == std::string::npos ? std::string{} : request.url.substr(mark + 1);
}

std::vector<Event> events_from(const Request& request, const std::string& account_sid,
                               AddressReader address) {
    const Form form = form_from(parameters_of(request));
    // An account that shares our URL by mistake must not write into our conversations (S49).
    if (const auto account = form.value_or("AccountSid", account_sid); account != account_sid) {
        throw RequestError(422, "unknown_account");
    }
    const std::string sid = first_of(form, {"MessageSid", "SmsSid", "SmsMessageSid"});
    const std::string word = first_of(form, {"MessageStatus", "SmsStatus"});
    if (sid.empty()) throw RequestError(422, "MessageSid is missing");
    if (!word.empty() && !is_inbound_status(word)) {
        return from_status(form, sid, word, request, address);
    }
    if (form.value_or("From", "").empty()) throw RequestError(422, "From is missing");
    return from_message(form, sid, address);
}

std::string status_url(const std::string& status_route_url, const std::string& message_id) {
    return status_route_url + "?message=" + percent_encode(message_id);
}

}  // namespace patchbay::twilio
