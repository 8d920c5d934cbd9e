#include "delivery/messaging_service.hpp"

#include <future>
#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>
#include <patchbay/services.hpp>

#include "base/json.hpp"
#include "delivery/messaging_bulk.hpp"
#include "delivery/messaging_records.hpp"
#include "delivery/outbox.hpp"
#include "messaging/statements.hpp"
#include "messaging/status.hpp"
#include "messaging/views.hpp"

namespace patchbay {
namespace {

constexpr std::chrono::seconds longest_wait{30};
constexpr uint32_t max_listed = 200;

messaging::ContactInfo info_of(const ContactView& view) { return contact_info(view); }
messaging::ConversationInfo info_of(const ConversationView& view) {
    return conversation_info(view);
}

messaging::MessageInfo info_of(const MessageView& view) {
    messaging::MessageInfo info;
    info.id = view.id;
    info.number = view.number;
    info.conversation = view.conversation_id;
    info.channel = view.channel;
    info.seq = static_cast<uint64_t>(view.seq);
    info.direction = view.direction;
    info.sender_type = view.sender_type;
    info.sender_id = view.sender_id.value_or("");
    info.sender_name = view.sender_name;
    info.kind = view.kind;
    info.text = view.body;
    info.provider_id = view.provider_id.value_or("");
    info.code = view.error_code.value_or("");
    info.reason = view.error_reason.value_or("");
    // Numbers are kept in E.164; whoever has none has an id.
    info.peer = Address{view.peer.starts_with('+') ? "phone" : "user", view.peer};
    info.own = view.own;
    info.status = status_of(view.status);
    info.created_ms = view.created_at;
    info.updated_ms = view.updated_at;
    info.event_ms = view.last_event_at.value_or(0);
    info.sent_ms = view.sent_at.value_or(0);
    for (const MediaView& media : view.media) {
        info.media.push_back({.id = media.id,
                              .type = media.type,
                              .name = media.name,
                              .url = media.url.value_or(""),
                              .bytes = static_cast<uint64_t>(media.bytes.value_or(0))});
    }
    return info;
}

template <class Info, class View>
std::optional<Info> info_or_none(const std::optional<View>& view) {
    if (!view) return std::nullopt;
    return info_of(*view);
}

template <class Value>
Value unpacked(std::string_view in) {
    Value value;
    wire::unpack(in, wire::Text::checked, value);
    return value;
}

std::string one_text(std::string_view in) {
    std::string text;
    wire::unpack(in, wire::Text::checked, text);
    return text;
}

std::string find_contact_by_address(const MessagingService& service, std::string_view in) {
    Address address;
    wire::unpack(in, wire::Text::checked, address);
    const auto view = service.store.read([&](Session& session) -> std::optional<ContactView> {
        const auto row = session.first(sql::address_find, {address.kind, address.value});
        return row ? find_contact(session, row->text(1)) : std::nullopt;
    });
    return wire::pack(info_or_none<messaging::ContactInfo>(view));
}

std::string contact_by_id(const MessagingService& service, std::string_view in) {
    const std::string id = one_text(in);
    const auto view = service.store.read([&](Session& s) { return find_contact(s, id); });
    return wire::pack(info_or_none<messaging::ContactInfo>(view));
}

std::string conversation_by_id(const MessagingService& service, std::string_view in) {
    const std::string id = one_text(in);
    const auto view = service.store.read([&](Session& s) { return find_conversation(s, id); });
    return wire::pack(info_or_none<messaging::ConversationInfo>(view));
}

std::string message_by_id(const MessagingService& service, std::string_view in) {
    const std::string id = one_text(in);
    const auto view = service.store.read([&](Session& s) { return find_message(s, id); });
    return wire::pack(info_or_none<messaging::MessageInfo>(view));
}

std::string messages_of_conversation(const MessagingService& service, std::string_view in) {
    messaging::MessageQuery query;
    wire::unpack(in, wire::Text::checked, query);
    const int64_t before = query.before_seq == 0 ? std::numeric_limits<int64_t>::max()
                                                 : static_cast<int64_t>(query.before_seq);
    const auto views = service.store.read([&](Session& session) {
        std::vector<MessageView> found;
        for (const Row& row : session.run(
                 sql::message_list, {query.conversation, before,
                                     static_cast<int64_t>(std::min(query.limit, max_listed))})) {
            found.push_back(MessageView::from_row(row));
        }
        load_media(session, found);
        return found;
    });
    std::vector<messaging::MessageInfo> infos;
    for (const MessageView& view : views) infos.push_back(info_of(view));
    return wire::pack(infos);
}

std::string attributes_json(const Labels& attributes) {
    JsonObject object = make_object();
    for (const auto& [name, value] : attributes) object->set(name, value);
    return to_json(object);
}

QueuedMessage queue(const MessagingService& service, const Draft& draft) {
    try {
        return service.store.write([&](Transaction& tx) {
            return queue_message(tx, service.mint, draft, service.store.clock().now_ms());
        });
    } catch (const SendRefused& refused) {
        throw error_of(refused);
    }
}

// The plugin's own thread waits here; the hub's workers do not.
void wait_for_first_outcome(const MessagingService& service, const std::string& message_id,
                            std::chrono::milliseconds wait) {
    auto told = std::make_shared<std::promise<void>>();
    service.outcomes.await(message_id, wait,
                           [told](const std::optional<FirstOutcome>&) { told->set_value(); });
    told->get_future().wait();
}

std::string send_message(const MessagingService& service, std::string_view in) {
    Call call;
    messaging::NewMessage message;
    wire::unpack(in, wire::Text::checked, call, message);
    const QueuedMessage queued = queue(service, draft_of(service, message, call.trace));
    service.wake(queued.channel);
    const auto wait = std::min<std::chrono::milliseconds>(
        {message.wait, call.left, std::chrono::milliseconds{longest_wait}});
    if (wait.count() > 0) wait_for_first_outcome(service, queued.message_id, wait);
    const auto view =
        service.store.read([&](Session& s) { return find_message(s, queued.message_id); });
    return wire::pack(info_of(view.value()));
}

}  // namespace

Error error_of(const SendRefused& refused) {
    Error error(refused.code == "rate_limited" ? ErrorKind::rate_limited : ErrorKind::refused,
                refused.what());
    error.code = refused.code;
    return error;
}

Draft draft_of(const MessagingService& service, const messaging::NewMessage& message,
               const std::string& trace) {
    if (message.conversation.empty() && !service.is_channel(message.channel)) {
        Error error(ErrorKind::not_found, "there is no channel \"" + message.channel + "\"");
        error.code = "unknown_channel";
        throw error;
    }
    Draft draft;
    draft.channel = message.channel;
    draft.conversation_id = message.conversation;
    draft.to = message.to;
    draft.from = message.from.value;
    draft.sender_id = message.author.empty() ? std::nullopt : std::optional{message.author};
    draft.sender_name = message.author_name;
    if (!message.kind.empty()) draft.kind = message.kind;
    draft.text = message.text;
    draft.media = message.media;
    draft.from_template = message.from_template;
    draft.attributes = attributes_json(message.attributes);
    draft.client_ref = message.key.empty() ? std::nullopt : std::optional{message.key};
    draft.trace = trace;
    draft.purpose = message.purpose;
    draft.reopen = service.reopens && service.reopens(message.channel);
    if (message.valid_for.count() > 0) draft.validity = message.valid_for;
    draft.limit_repeats = true;
    draft.limits = service.limits(message.channel);
    return draft;
}

void register_messaging_service(HostServices& services, MessagingService service) {
    const auto shared = std::make_shared<const MessagingService>(std::move(service));
    const auto add = [&](uint32_t number, auto function) {
        services.register_method("messaging/1", number,
                                 [shared, function](const ServiceCaller&, std::string_view in) {
                                     return function(*shared, in);
                                 });
    };
    add(method::find_contact, find_contact_by_address);
    add(method::contact, contact_by_id);
    add(method::conversation, conversation_by_id);
    add(method::send_message, send_message);
    add(method::message, message_by_id);
    add(method::list_messages, messages_of_conversation);
    add(method::save_contact, [](const MessagingService& own, std::string_view in) {
        return wire::pack(save_contact(own, unpacked<messaging::ContactInfo>(in)));
    });
    add(method::open_conversation, [](const MessagingService& own, std::string_view in) {
        return wire::pack(open_conversation(own, unpacked<messaging::NewConversation>(in)));
    });
    add(method::change_conversation, [](const MessagingService& own, std::string_view in) {
        return wire::pack(change_conversation(own, unpacked<messaging::ConversationChange>(in)));
    });
    add(method::list_conversations, [](const MessagingService& own, std::string_view in) {
        return wire::pack(list_conversations(own, unpacked<messaging::ConversationQuery>(in)));
    });
    add(method::start_bulk, [](const MessagingService& own, std::string_view in) {
        Call call;
        messaging::NewBulk bulk;
        wire::unpack(in, wire::Text::checked, call, bulk);
        return wire::pack(start_bulk(own, call, bulk));
    });
    add(method::find_bulk, [](const MessagingService& own, std::string_view in) {
        std::string id;
        messaging::Asker asker;
        uint32_t first = 0, count = 0;
        wire::unpack(in, wire::Text::checked, id, asker, first, count);
        return wire::pack(find_bulk(own, id, asker, first, count));
    });
    add(method::stop_bulk, [](const MessagingService& own, std::string_view in) {
        std::string id;
        messaging::Asker asker;
        wire::unpack(in, wire::Text::checked, id, asker);
        return wire::pack(stop_bulk(own, id, asker));
    });
    services.register_method("messaging/1", method::channel_state,
                             [shared](const ServiceCaller& caller, std::string_view) {
                                 return wire::pack(shared->state(caller.instance));
                             });
    add(method::read_conversation, [](const MessagingService& own, std::string_view in) {
        std::string id, user;
        uint64_t seq = 0;
        wire::unpack(in, wire::Text::checked, id, user, seq);
        read_conversation(own, id, user, seq);
        return std::string{};
    });
}

}  // namespace patchbay
