#include "api/change_data.hpp"

#include "api/shapes.hpp"
#include "messaging/changes.hpp"

namespace patchbay {
namespace {

JsonValue error_json(const WebhookEvent& event) {
    if (event.code.empty() && event.reason.empty()) return json_null();
    JsonObject json = make_object();
    json->set("code", event.code.empty() ? json_null() : JsonValue(event.code));
    json->set("reason", event.reason.empty() ? json_null() : JsonValue(event.reason));
    return json;
}

std::optional<JsonObject> message_data(Session& session, const WebhookEvent& event) {
    const auto message = find_message(session, event.object);
    if (!message) return std::nullopt;
    JsonObject json = make_object();
    if (event.type == changes::message_status) {
        json->set("message_id", message->id);
        json->set("conversation_id", message->conversation_id);
        json->set("status", event.status);
        json->set("error", error_json(event));
    } else {
        json->set("message", message_json(*message));
    }
    return json;
}

}  // namespace

std::optional<JsonObject> webhook_data(Session& session, const WebhookEvent& event) {
    if (event.type.starts_with("message.")) return message_data(session, event);
    const auto conversation = find_conversation(session, event.object);
    if (!conversation) return std::nullopt;
    JsonObject json = make_object();
    if (event.type == changes::conversation_read) {
        json->set("conversation_id", conversation->id);
        json->set("unread", conversation->unread);
    } else {
        json->set("conversation", conversation_json(session, *conversation));
    }
    return json;
}

}  // namespace patchbay
