#include "api/change_data.hpp"

#include "api/shapes.hpp"
#include "messaging/changes.hpp"

namespace patchbay {
namespace {

std::optional<std::string> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<JsonObject> message_data(Session& session, const WebhookEvent& event) {
    auto message = find_message(session, event.object);
    if (!message) return std::nullopt;
    if (event.type == changes::message_status) {
        message->status = event.status;
        message->error_code = unless_empty(event.code);
        message->error_reason = unless_empty(event.reason);
    }
    return change_json(*message, event.type);
}

}  // namespace

JsonObject change_json(const MessageView& message, std::string_view what) {
    JsonObject json = make_object();
    if (what == changes::message_status) {
        json->set("message_id", message.id);
        json->set("conversation_id", message.conversation_id);
        json->set("status", message.status);
        json->set("error", error_json(message));
    } else {
        json->set("message", message_json(message));
    }
    return json;
}

JsonObject change_json(Session& session, const ConversationView& conversation,
                       std::string_view what) {
    JsonObject json = make_object();
    if (what == changes::conversation_read) {
        json->set("conversation_id", conversation.id);
        json->set("unread", conversation.unread);
    } else {
        json->set("conversation", conversation_json(session, conversation));
    }
    return json;
}

std::optional<JsonObject> webhook_data(Session& session, const WebhookEvent& event) {
    if (event.type.starts_with("message.")) return message_data(session, event);
    const auto conversation = find_conversation(session, event.object);
    if (!conversation) return std::nullopt;
    return change_json(session, *conversation, event.type);
}

}  // namespace patchbay
