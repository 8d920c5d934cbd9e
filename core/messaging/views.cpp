#include "messaging/views.hpp"

#include <charconv>
#include <patchbay/text.hpp>

#include "messaging/statements.hpp"

namespace patchbay {
namespace {

template <class View>
std::optional<View> find_by(Session& session, const std::string& id, const Statement& by_id,
                            const Statement& by_number) {
    const auto number = as_number(id);
    const auto row = number ? session.first(by_number, {*number}) : session.first(by_id, {id});
    if (!row) return std::nullopt;
    return View::from_row(*row);
}

}  // namespace

std::optional<int64_t> as_number(const std::string& text) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

ConversationView ConversationView::from_row(const Row& row) {
    ConversationView view;
    view.id = row.text(0);
    view.number = row.number(1);
    view.channel = row.text(2);
    view.state = row.text(3);
    view.mode = row.text(4);
    view.kind = row.text(5);
    view.department = row.maybe_text(6);
    view.assignee = row.maybe_text(7);
    view.last_message_at = row.number(8);
    view.preview = row.text(9);
    view.last_sender = row.maybe_text(10);
    view.unread = row.number(11);
    view.contact_name = row.text_or(12, "");
    view.contact_id = row.maybe_text(13);
    view.external_id = row.maybe_text(15);
    view.last_seq = row.number(16);
    view.version = row.number(17);
    view.created_at = row.number(18);
    view.updated_at = row.number(19);
    if (!row.is_null(20)) view.address = Address{row.text(20), row.text(21)};
    view.purpose = row.text(22);
    view.context = row.text(23);
    view.last_inbound_at = row.number(24);
    view.friendly_name = row.maybe_text(25);
    view.unique_name = row.maybe_text(26);
    view.closed_at = row.maybe_number(27);
    return view;
}

bool ConversationView::mentions(const std::string& words) const {
    const std::string wanted = ascii_lower(words);
    const auto has = [&](const std::string& text) {
        return ascii_lower(text).find(wanted) != std::string::npos;
    };
    return has(contact_name) || has(preview) || (address && has(address->value));
}

MessageView MessageView::from_row(const Row& row) {
    MessageView view;
    view.id = row.text(0);
    view.number = row.number(1);
    view.conversation_id = row.text(2);
    view.seq = row.number(3);
    view.channel = row.text(4);
    view.direction = row.text(5);
    view.sender_type = row.text(6);
    view.sender_id = row.maybe_text(7);
    view.sender_name = row.text(8);
    view.peer = row.text(9);
    view.own = row.text(10);
    view.kind = row.text(11);
    view.body = row.text(12);
    view.attributes = row.text(13);
    view.provider_id = row.maybe_text(14);
    view.status = row.text(15);
    view.error_code = row.maybe_text(16);
    view.error_reason = row.maybe_text(17);
    view.sent_at = row.maybe_number(18);
    view.event_at = row.number(19);
    view.created_at = row.number(20);
    view.updated_at = row.number(21);
    view.template_json = row.maybe_text(22);
    view.reply_to = row.maybe_text(23);
    view.valid_until = row.maybe_number(24);
    view.client_ref = row.maybe_text(25);
    return view;
}

ContactView ContactView::from_row(const Row& row) {
    ContactView view;
    view.id = row.text(0);
    view.name = row.text(1);
    view.attributes = row.text(2);
    view.active = row.number(3) != 0;
    view.created_at = row.number(4);
    view.updated_at = row.number(5);
    view.last_message_at = row.number(6);
    view.locale = row.maybe_text(7);
    view.version = row.number(8);
    return view;
}

std::optional<ConversationView> find_conversation(Session& session, const std::string& id) {
    return find_by<ConversationView>(session, id, sql::conversation_get,
                                     sql::conversation_by_number);
}

std::optional<MessageView> find_message(Session& session, const std::string& id) {
    auto found = find_by<MessageView>(session, id, sql::message_get, sql::message_by_number);
    if (!found) return std::nullopt;
    std::vector<MessageView> one{std::move(*found)};
    load_media(session, one);
    if (const auto row = session.first(sql::message_last_event, {one.front().id})) {
        one.front().last_event_at = row->maybe_number(0);
    }
    return std::move(one.front());
}

std::optional<ContactView> find_contact(Session& session, const std::string& id) {
    auto row = session.first(sql::contact_get, {id});
    if (!row) {
        const auto kept = session.first(sql::contact_kept, {id});
        if (kept) row = session.first(sql::contact_get, {kept->text(0)});
    }
    if (!row) return std::nullopt;
    std::vector<ContactView> one{ContactView::from_row(*row)};
    load_addresses(session, one);
    return std::move(one.front());
}

void load_media(Session& session, std::vector<MessageView>& messages) {
    for (MessageView& message : messages) {
        for (const Row& row : session.run(sql::media_of_message, {message.id})) {
            message.media.push_back({row.text(0), row.text(2), row.text(3), row.text(4),
                                     row.maybe_number(5), row.maybe_text(6), row.maybe_text(7)});
        }
    }
}

void load_addresses(Session& session, std::vector<ContactView>& contacts) {
    for (ContactView& contact : contacts) {
        for (const Row& row : session.run(sql::address_of_contact, {contact.id})) {
            contact.addresses.push_back({row.text(1), row.text(2)});
        }
    }
}

}  // namespace patchbay
