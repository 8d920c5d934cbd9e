#include "api/shapes.hpp"

#include "api/statements.hpp"
#include "messaging/consent.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

JsonObject address_json(const Address& address) {
    JsonObject json = make_object();
    json->set("kind", address.kind);
    json->set("value", address.value);
    return json;
}

JsonValue last_message_json(Session& session, const std::string& conversation_id) {
    const auto row = session.first(sql::message_last, {conversation_id});
    if (!row) return json_null();
    JsonObject json = make_object();
    json->set("id", row->text(0));
    json->set("direction", row->text(1));
    json->set("text", row->text(2));
    json->set("created_at", time_json(row->number(3)));
    return json;
}

JsonValue contact_of(const ConversationView& conversation) {
    if (!conversation.contact_id) return json_null();
    JsonObject json = make_object();
    json->set("id", *conversation.contact_id);
    json->set("name", conversation.contact_name);
    json->set("address",
              conversation.address ? JsonValue(address_json(*conversation.address)) : json_null());
    return json;
}

JsonArray media_json(const std::vector<MediaView>& media) {
    JsonArray list = make_array();
    for (const MediaView& one : media) {
        JsonObject json = make_object();
        json->set("id", one.id);
        json->set("type", one.type);
        json->set("name", one.name);
        json->set("bytes", json_or_null(one.bytes));
        json->set("url", json_or_null(one.url));
        list->add(json);
    }
    return list;
}

/// The channel on which each address was heard or written to last, of the contact's newest
/// conversations.
std::map<std::string, std::string> channels_of(Session& session, const std::string& contact_id) {
    std::map<std::string, std::string> channels;
    const Values newest = {contact_id, INT64_MAX, std::string("g"), int64_t{20}};
    for (const Row& row : session.run(sql::conversation_list_contact, newest)) {
        const auto conversation = ConversationView::from_row(row);
        if (conversation.address) {
            channels.try_emplace(conversation.address->value, conversation.channel);
        }
    }
    return channels;
}

}  // namespace

JsonValue error_json(const MessageView& message) {
    if (!message.error_code && !message.error_reason) return json_null();
    JsonObject json = make_object();
    json->set("code", json_or_null(message.error_code));
    json->set("reason", json_or_null(message.error_reason));
    return json;
}

JsonObject user_json(const User& user) {
    JsonObject json = make_object();
    json->set("id", user.id);
    json->set("number", user.number);
    json->set("email", user.email);
    json->set("name", user.name);
    json->set("role", user.role);
    json->set("departments", json_texts(user.departments));
    json->set("active", user.active());
    json->set("created_at", time_json(user.created_at));
    return json;
}

JsonObject conversation_json(Session& session, const ConversationView& conversation) {
    JsonObject external = make_object();
    external->set("conversation_sid", json_or_null(conversation.external_id));
    external->set("stay_id", json_null());
    JsonObject json = make_object();
    json->set("id", conversation.id);
    json->set("number", conversation.number);
    json->set("contact", contact_of(conversation));
    json->set("channel", conversation.channel);
    json->set("state", conversation.state);
    json->set("mode", conversation.mode);
    json->set("kind", conversation.kind);
    json->set("department", json_or_null(conversation.department));
    json->set("assignee", json_or_null(conversation.assignee));
    json->set("external", external);
    json->set("last_message", last_message_json(session, conversation.id));
    json->set("unread", conversation.unread);
    json->set("window", json_null());
    json->set("version", conversation.version);
    json->set("created_at", time_json(conversation.created_at));
    json->set("updated_at", time_json(conversation.updated_at));
    return json;
}

JsonObject message_json(const MessageView& message) {
    JsonObject sender = make_object();
    sender->set("type", message.sender_type);
    sender->set("id", json_or_null(message.sender_id));
    sender->set("name", message.sender_name);
    JsonObject json = make_object();
    json->set("id", message.id);
    json->set("number", message.number);
    json->set("conversation_id", message.conversation_id);
    json->set("channel", message.channel);
    json->set("direction", message.direction);
    json->set("sender", sender);
    json->set("kind", message.kind);
    json->set("text", message.body);
    json->set("media", media_json(message.media));
    json->set("provider_id", json_or_null(message.provider_id));
    json->set("status", message.status);
    json->set("error", error_json(message));
    json->set("attributes", json_or_empty_object(message.attributes));
    json->set("created_at", time_json(message.created_at));
    json->set("updated_at", time_json(message.updated_at));
    return json;
}

JsonObject contact_json(Session& session, const ContactView& contact) {
    const auto channels = channels_of(session, contact.id);
    JsonArray addresses = make_array();
    for (const Address& address : contact.addresses) {
        const auto channel = channels.find(address.value);
        const std::string name = channel == channels.end() ? "*" : channel->second;
        JsonObject one = address_json(address);
        one->set("channel", name == "*" ? json_null() : JsonValue(name));
        one->set("consent", is_opted_out(session, address, name) ? "out" : "in");
        addresses->add(one);
    }
    JsonObject json = make_object();
    json->set("id", contact.id);
    json->set("name", contact.name);
    json->set("addresses", addresses);
    json->set("attributes", json_or_empty_object(contact.attributes));
    json->set("created_at", time_json(contact.created_at));
    json->set("updated_at", time_json(contact.updated_at));
    return json;
}

}  // namespace patchbay
