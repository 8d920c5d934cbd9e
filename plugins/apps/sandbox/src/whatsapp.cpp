#include "whatsapp.hpp"

#include <algorithm>
#include <twilio/json.hpp>
#include <twilio/whatsapp.hpp>

namespace patchbay::sandbox {
namespace {

constexpr std::string_view prefix = "whatsapp:";
constexpr size_t max_media = 1, max_text_chars = 1600;
constexpr int64_t window_ms = 24 * 3'600'000;
constexpr const char* channel_install_sid = "XE00000000000000000000000000000001";

// A phone, or the id of somebody who hides it.
bool is_reachable(const std::string& to) {
    const Address address = twilio::whatsapp_address(to);
    return address.kind == "phone" || twilio::is_user_id(address.value);
}

bool is_ours(const std::string& from, const std::vector<std::string>& senders) {
    const auto is_sender = [](const std::string& one) { return is_whatsapp(one); };
    if (std::none_of(senders.begin(), senders.end(), is_sender)) return true;
    return std::find(senders.begin(), senders.end(), from) != senders.end();
}

size_t characters(std::string_view text) {
    return static_cast<size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

std::optional<Refused> template_fault_in(const Form& form) {
    if (!form.value_or("ContentSid", "").starts_with("HX")) {
        return Refused{21655, "The ContentSid is invalid."};
    }
    const std::string variables = form.value_or("ContentVariables", "");
    if (!variables.empty() && !twilio::parse_object(variables)) {
        return Refused{21656, "The ContentVariables parameter is invalid."};
    }
    return std::nullopt;
}

std::string kind_of(const Message& message) {
    if (message.media.empty()) return "text";
    return message.body.empty() ? "document" : "image";
}

}  // namespace

bool is_whatsapp(std::string_view address) { return address.starts_with(prefix); }

std::optional<Refused> whatsapp_fault_in(const Form& form,
                                         const std::vector<std::string>& senders) {
    const std::string to = form.value_or("To", ""), from = form.value_or("From", "");
    const size_t media = form.values("MediaUrl").size();
    if (to.empty()) return Refused{21604, "A 'To' phone number is required."};
    if (from.empty()) return Refused{21603, "A 'From' phone number is required."};
    if (!is_whatsapp(to) || !is_whatsapp(from)) {
        return Refused{21910, "Invalid 'From' and 'To' pair: both must be of the same channel."};
    }
    if (!is_ours(from, senders)) {
        return Refused{63007, "Twilio could not find a Channel with the specified From address."};
    }
    if (!is_reachable(to)) return Refused{21211, "The 'To' number is not a valid phone number."};
    if (form.has("ContentSid")) return template_fault_in(form);
    const std::string body = form.value_or("Body", "");
    if (body.empty() && media == 0) return Refused{21602, "Message body is required."};
    if (characters(body) > max_text_chars) {
        return Refused{21617, "The concatenated message body exceeds the 1600 character limit."};
    }
    if (media > max_media) return Refused{21623, "Number of media files exceeds allowed limit."};
    return std::nullopt;
}

bool is_outside_window(const Ledger& ledger, const Message& message) {
    if (!is_whatsapp(message.to) || !message.content_sid.empty()) return false;
    for (const Message& earlier : ledger.list({.to = message.from, .from = message.to})) {
        if (earlier.direction == "inbound") {
            return message.created_ms - earlier.created_ms > window_ms;
        }
    }
    return false;
}

void add_whatsapp_fields(Form& form, const Message& message, const std::string& profile_name) {
    const Address from = twilio::whatsapp_address(message.from);
    form.add("ProfileName", profile_name);
    if (from.kind == "phone") {
        form.add("WaId", from.value.substr(1));
    } else {
        form.add("ExternalUserId", message.from);
    }
    form.add("MessageType", kind_of(message));
    form.add("ReferralNumMedia", "0");
}

void add_whatsapp_status(Form& form, const Message& message) {
    form.add("ChannelPrefix", "whatsapp");
    form.add("ChannelInstallSid", channel_install_sid);
    if (message.status == "read") form.add("EventType", "READ");
    if (message.error_code == "63016") {
        form.add("ChannelStatusMessage",
                 "Failed to send freeform message because you are outside the allowed window.");
    }
}

}  // namespace patchbay::sandbox
