#include "delivery/outbound.hpp"

#include "base/json.hpp"
#include "delivery/statements.hpp"
#include "messaging/consent.hpp"
#include "messaging/views.hpp"

namespace patchbay {
namespace {

Labels extra_from(const std::string& attributes) {
    Labels extra;
    const JsonObject object = parse_json_object(attributes);
    for (const auto& [name, value] : *object) {
        if (value.isString()) extra[name] = value.extract<std::string>();
    }
    return extra;
}

std::vector<Media> media_from(const std::vector<MediaView>& views) {
    std::vector<Media> media;
    for (const MediaView& view : views) {
        Media item;
        item.id = view.provider_id.value_or(view.id);
        item.type = view.type;
        item.name = view.name;
        item.url = view.url.value_or("");
        item.bytes = static_cast<uint64_t>(view.bytes.value_or(0));
        media.push_back(std::move(item));
    }
    return media;
}

std::string provider_id_of(Session& session, const std::optional<std::string>& message_id) {
    if (!message_id) return {};
    const auto row = session.first(sql::status_of, {*message_id});
    return row ? row->text_or(5, "") : std::string{};
}

OutboundMessage message_from(Session& session, const MessageView& view,
                             const ConversationView& conversation) {
    OutboundMessage message;
    message.id = view.id;
    message.conversation = view.conversation_id;
    message.external_conversation = conversation.external_id.value_or("");
    message.author = view.sender_name;
    message.text = view.body;
    message.reply_to = provider_id_of(session, view.reply_to);
    const std::string kind = conversation.address ? conversation.address->kind : "phone";
    if (!view.peer.empty()) message.to = {kind, view.peer};
    if (!view.own.empty()) message.from = {kind, view.own};
    message.media = media_from(view.media);
    if (view.template_json)
        message.from_template = template_from(parse_json_object(*view.template_json));
    message.extra = extra_from(view.attributes);
    message.valid_until_ms = view.valid_until.value_or(0);
    return message;
}

}  // namespace

JsonObject template_json(const Template& from) {
    JsonObject object = make_object();
    JsonArray params = make_array();
    for (const std::string& param : from.params) params->add(param);
    object->set("name", from.name);
    object->set("language", from.language);
    object->set("params", params);
    if (!from.provider_id.empty()) object->set("provider_id", from.provider_id);
    if (!from.variables.empty()) {
        JsonObject variables = make_object();
        for (const auto& [name, value] : from.variables) variables->set(name, value);
        object->set("variables", variables);
    }
    return object;
}

Template template_from(const JsonObject& object) {
    Template result{text_at(object, "name").value_or(""), text_at(object, "language").value_or("")};
    result.provider_id = text_at(object, "provider_id").value_or("");
    if (const JsonArray params = object->getArray("params")) {
        for (const JsonValue& param : *params) result.params.push_back(param.toString());
    }
    if (const JsonObject variables = object->getObject("variables")) {
        for (const auto& [name, value] : *variables) result.variables[name] = value.toString();
    }
    return result;
}

std::optional<Outgoing> load_outgoing(Session& session, const std::string& message_id,
                                      int64_t job_id) {
    const auto view = find_message(session, message_id);
    if (!view) return std::nullopt;
    const auto conversation = find_conversation(session, view->conversation_id);
    const auto status = session.first(sql::status_of, {message_id});
    if (!conversation || !status) return std::nullopt;

    Outgoing outgoing{message_from(session, *view, *conversation),
                      view->conversation_id,
                      view->status,
                      status->number(2),
                      !status->is_null(7),
                      false};
    const auto first_try = session.first(sql::attempt_span, {job_id});
    // An attempt that died with its process left no row: the message itself is the earliest it can
    // have been.
    if (first_try && !first_try->is_null(0)) outgoing.message.first_tried_ms = view->created_at;
    const Address& to = outgoing.message.to;
    outgoing.opted_out = !to.value.empty() && is_opted_out(session, to, view->channel);
    return outgoing;
}

}  // namespace patchbay
