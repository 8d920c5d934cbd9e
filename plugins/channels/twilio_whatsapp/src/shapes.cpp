#include "shapes.hpp"

#include <twilio/requests.hpp>

namespace patchbay::twilio_whatsapp {

std::string status_word(DeliveryStatus status) {
    switch (status) {
        case DeliveryStatus::accepted:
        case DeliveryStatus::sent:
        case DeliveryStatus::delivered:
            return "sent";
        case DeliveryStatus::read:
            return "read";
        case DeliveryStatus::failed:
        case DeliveryStatus::expired:
        case DeliveryStatus::cancelled:
            return "failed";
        default:
            return "queued";
    }
}

Poco::Dynamic::Var error_json(const std::string& code, const std::string& reason) {
    if (code.empty() && reason.empty()) return {};
    Poco::JSON::Object::Ptr error = new Poco::JSON::Object{Poco::JSON_PRESERVE_KEY_ORDER};
    error->set("code", twilio::text_or_null(code));
    error->set("reason", twilio::text_or_null(reason));
    return error;
}

Poco::JSON::Object::Ptr contact_json(const ContactShape& contact) {
    Poco::JSON::Object::Ptr json = new Poco::JSON::Object{Poco::JSON_PRESERVE_KEY_ORDER};
    json->set("id", contact.id);
    json->set("phone_number", contact.phone);
    json->set("display_name", twilio::text_or_null(contact.name));
    json->set("last_message_time", twilio::time_or_null(contact.last_message_ms));
    json->set("unread_count", contact.unread);
    json->set("is_active", contact.is_active);
    return json;
}

Poco::JSON::Object::Ptr message_json(const messaging::MessageInfo& message, const std::string& own,
                                     bool is_unread) {
    const bool is_inbound = message.direction == "in";
    const std::string ours = message.own.empty() ? own : message.own;
    const std::string url = message.media.empty() ? std::string{} : message.media.front().url;
    const bool is_read = is_inbound ? !is_unread : message.status == DeliveryStatus::read;
    Poco::JSON::Object::Ptr json = new Poco::JSON::Object{Poco::JSON_PRESERVE_KEY_ORDER};
    json->set("id", message.id);
    json->set("message_id", twilio::text_or_null(message.provider_id));
    json->set("from_phone_number", is_inbound ? message.peer.value : ours);
    json->set("to_phone_number", is_inbound ? ours : message.peer.value);
    json->set("message_type", message.kind);
    json->set("message_text", message.text);
    json->set("media_url", twilio::text_or_null(url));
    json->set("status", !is_inbound ? status_word(message.status) : is_read ? "read" : "received");
    json->set("direction", is_inbound ? "inbound" : "outbound");
    json->set("is_read", is_read);
    json->set("created_at", twilio::time_or_null(message.created_ms));
    return json;
}

messaging::Asker asker_of(const Request& request) {
    return {.user = request.user, .role = request.role, .departments = request.departments};
}

}  // namespace patchbay::twilio_whatsapp
