#include "delivery/messaging_records.hpp"

#include <algorithm>
#include <limits>

#include "base/json.hpp"
#include "identity/access.hpp"
#include "identity/departments.hpp"
#include "messaging/consent.hpp"
#include "messaging/contacts.hpp"
#include "messaging/conversations.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

constexpr uint32_t max_listed = 200;
constexpr int64_t page_rows = 200;
constexpr size_t max_pages = 50;  // A filter that fits nothing must not walk the whole table.

[[noreturn]] void refuse(ErrorKind kind, const std::string& code, const std::string& text) {
    Error error(kind, text);
    error.code = code;
    throw error;
}

[[noreturn]] void refuse_unknown(const std::string& what) {
    refuse(ErrorKind::not_found, "unknown_id", "there is no such " + what);
}

void require_word(const std::string& what, const std::string& word,
                  std::initializer_list<std::string_view> known) {
    if (std::find(known.begin(), known.end(), word) != known.end()) return;
    refuse(ErrorKind::request, "422", what + " cannot be \"" + word + "\"");
}

void require_state(const std::string& word) {
    require_word("state", word, {"open", "pending", "closed", "archived"});
}

void require_mode(const std::string& word) { require_word("mode", word, {"flow", "relay"}); }

// Plugins may say a slug or the name; the name is kept.
std::string department_named(const MessagingService& service, const std::string& text) {
    if (text.empty()) return text;
    const auto name = find_department(service.departments(), text);
    if (!name) {
        refuse(ErrorKind::refused, "unknown_department", "there is no department \"" + text + "\"");
    }
    return *name;
}

void require_json_object(const std::string& text) {
    try {
        parse_json_object(text);
    } catch (const JsonError&) {
        refuse(ErrorKind::request, "422", "context must be a JSON object");
    }
}

Labels labels_from(const std::string& json) {
    Labels labels;
    const JsonObject object = parse_json_object(json);
    for (const auto& [name, value] : *object) {
        if (value.isString()) labels[name] = value.extract<std::string>();
    }
    return labels;
}

std::string with_labels(const std::string& json, const Labels& labels) {
    JsonObject object = parse_json_object(json);
    for (const auto& [name, value] : labels) object->set(name, value);
    return to_json(object);
}

// ---- contacts ----
std::optional<std::string> owner_of(Session& session, const Address& address) {
    const auto row = session.first(sql::address_find, {address.kind, address.value});
    return row ? std::optional{row->text(1)} : std::nullopt;
}

ContactView contact_to_save(Transaction& tx, const MessagingService& service,
                            const messaging::ContactInfo& contact, TimeMs now) {
    std::string id = contact.id;
    if (id.empty() && contact.addresses.empty()) {
        refuse(ErrorKind::request, "422", "a contact needs an id or an address");
    }
    for (const Address& address : contact.addresses) {
        if (id.empty()) id = owner_of(tx, address).value_or("");
    }
    if (id.empty()) {
        id = find_or_create_contact(tx, service.mint, contact.addresses.front(), contact.name, now)
                 .contact_id;
    }
    const auto view = find_contact(tx, id);
    if (!view) refuse_unknown("contact");
    return *view;
}

void add_addresses(Transaction& tx, const MessagingService& service, const std::string& contact_id,
                   const std::vector<Address>& addresses, TimeMs now) {
    for (const Address& address : addresses) {
        const auto owner = owner_of(tx, address);
        if (owner && *owner != contact_id) {
            refuse(ErrorKind::conflict, "conflict", "the address belongs to another contact");
        }
        if (owner) continue;
        tx.run(sql::address_insert,
               {service.mint.ids.uuid(), address.kind, address.value, contact_id, now});
    }
}

// ---- conversations ----
ConversationView require_conversation(Session& session, const std::string& id) {
    const auto view = find_conversation(session, id);
    if (!view) refuse_unknown("conversation");
    return *view;
}

std::optional<std::string> found_by(Session& session, const Statement& statement,
                                    const std::string& channel, const std::string& key) {
    if (key.empty()) return std::nullopt;
    const auto row = session.first(statement, {channel, key});
    return row ? std::optional{row->text(0)} : std::nullopt;
}

ContactRef contact_for(Transaction& tx, const MessagingService& service,
                       const messaging::NewConversation& wanted, TimeMs now) {
    if (wanted.contact.empty()) {
        if (wanted.to.value.empty()) {
            refuse(ErrorKind::request, "422", "a conversation needs a contact or an address");
        }
        return find_or_create_contact(tx, service.mint, wanted.to, wanted.contact_name, now);
    }
    const auto view = find_contact(tx, wanted.contact);
    if (!view) refuse_unknown("contact");
    for (const Row& row : tx.run(sql::address_of_contact, {view->id})) {
        const bool fits = wanted.to.value.empty() ||
                          (row.text(1) == wanted.to.kind && row.text(2) == wanted.to.value);
        if (fits) return {view->id, row.text(0), false};
    }
    refuse(ErrorKind::request, "422", "the contact has no such address");
}

std::string create_conversation(Transaction& tx, const MessagingService& service,
                                const messaging::NewConversation& wanted, const ContactRef& contact,
                                const std::string& department, TimeMs now) {
    if (found_by(tx, sql::conversation_by_unique_name, wanted.channel, wanted.unique_name)) {
        refuse(ErrorKind::conflict, "conflict", "another conversation has this unique name");
    }
    const std::string id = service.mint.ids.uuid();
    tx.run(sql::conversation_create,
           {id, service.mint.numbers.next(), wanted.channel, contact.contact_id, contact.address_id,
            wanted.purpose, std::string{"open"}, wanted.mode.empty() ? "flow" : wanted.mode,
            wanted.kind.empty() ? "general" : wanted.kind,
            department.empty() ? Value{} : Value{department}, now, now, now});
    const auto text_or_null = [](const std::string& text) {
        return text.empty() ? Value{} : Value{text};
    };
    tx.run(sql::conversation_describe,
           {text_or_null(wanted.assignee), text_or_null(wanted.external_id),
            text_or_null(wanted.friendly_name), text_or_null(wanted.unique_name),
            wanted.context.empty() ? std::string{"{}"} : wanted.context, id});
    return id;
}

bool admits(const messaging::ConversationQuery& query, const ConversationView& view) {
    const auto fits = [](const std::string& wanted, const std::optional<std::string>& value) {
        return wanted.empty() || value == wanted;
    };
    const auto& states = query.states;
    const bool state_fits =
        states.empty() || std::find(states.begin(), states.end(), view.state) != states.end();
    const bool is_seen =
        !query.asker ||
        sight_of(caller_of(*query.asker)).covers(view.department, view.kind, view.assignee);
    return is_seen && state_fits && fits(query.channel, view.channel) &&
           fits(query.contact, view.contact_id) && fits(query.purpose, view.purpose) &&
           fits(query.department, view.department) && fits(query.assignee, view.assignee) &&
           fits(query.external_id, view.external_id) && fits(query.unique_name, view.unique_name) &&
           (query.search.empty() || view.mentions(query.search));
}

/// A key that names one: then nothing is walked.
std::optional<std::string> named_by(Session& session, const messaging::ConversationQuery& query) {
    if (query.number != 0) return std::to_string(query.number);
    if (!query.external_id.empty()) {
        return found_by(session, sql::conversation_by_external, query.channel, query.external_id)
            .value_or("none");
    }
    if (!query.unique_name.empty()) {
        return found_by(session, sql::conversation_by_unique_name, query.channel, query.unique_name)
            .value_or("none");
    }
    return std::nullopt;
}

Rows page_of(Session& session, const messaging::ConversationQuery& query, int64_t before,
             const std::string& before_id) {
    if (!query.contact.empty()) {
        return session.run(sql::conversation_list_contact,
                           {query.contact, before, before_id, page_rows});
    }
    if (!query.assignee.empty()) {
        return session.run(sql::conversation_list_assignee,
                           {query.assignee, before, before_id, page_rows});
    }
    if (!query.department.empty()) {
        return session.run(sql::conversation_list_department,
                           {query.department, before, before_id, page_rows});
    }
    return session.run(sql::conversation_list_all, {before, before_id, page_rows});
}

std::vector<ConversationView> find_all(Session& session,
                                       const messaging::ConversationQuery& query) {
    std::vector<ConversationView> found;
    if (const auto id = named_by(session, query)) {
        const auto view = find_conversation(session, *id);
        if (view && admits(query, *view)) found.push_back(*view);
        return found;
    }
    const size_t limit = std::min(query.limit, max_listed);
    int64_t before = std::numeric_limits<int64_t>::max();
    std::string before_id = "g";  // Behind every id.
    if (!query.after.empty()) {
        const ConversationView last = require_conversation(session, query.after);
        before = last.last_message_at;
        before_id = last.id;
    }
    for (size_t pages = 0; pages < max_pages; ++pages) {
        const Rows rows = page_of(session, query, before, before_id);
        for (const Row& row : rows) {
            ConversationView view = ConversationView::from_row(row);
            before = view.last_message_at;
            before_id = view.id;
            if (admits(query, view)) found.push_back(std::move(view));
            if (found.size() == limit) return found;
        }
        if (rows.size() < static_cast<size_t>(page_rows)) break;
    }
    return found;
}

}  // namespace

Caller caller_of(const messaging::Asker& asker) {
    Caller caller;
    caller.kind = asker.role == "api" ? "key" : "user";
    caller.id = asker.user;
    caller.role = asker.role;
    caller.departments = asker.departments;
    return caller;
}

messaging::ContactInfo contact_info(const ContactView& view) {
    messaging::ContactInfo info;
    info.id = view.id;
    info.name = view.name;
    info.locale = view.locale.value_or("");
    info.addresses = view.addresses;
    info.attributes = labels_from(view.attributes);
    info.active = view.active;
    info.version = static_cast<uint64_t>(view.version);
    return info;
}

messaging::ConversationInfo conversation_info(const ConversationView& view) {
    messaging::ConversationInfo info;
    info.id = view.id;
    info.number = view.number;
    info.channel = view.channel;
    info.contact = view.contact_id.value_or("");
    info.purpose = view.purpose;
    info.state = view.state;
    info.mode = view.mode;
    info.kind = view.kind;
    info.department = view.department.value_or("");
    info.assignee = view.assignee.value_or("");
    info.external_id = view.external_id.value_or("");
    info.friendly_name = view.friendly_name.value_or("");
    info.unique_name = view.unique_name.value_or("");
    info.context = view.context;
    info.last_seq = static_cast<uint64_t>(view.last_seq);
    info.last_message_ms = view.last_message_at;
    info.last_inbound_ms = view.last_inbound_at;
    info.created_ms = view.created_at;
    info.preview = view.preview;
    info.last_sender = view.last_sender.value_or("");
    info.unread = static_cast<uint32_t>(view.unread);
    info.version = static_cast<uint64_t>(view.version);
    info.contact_name = view.contact_name;
    info.address = view.address.value_or(Address{});
    return info;
}

messaging::ContactInfo save_contact(const MessagingService& service,
                                    const messaging::ContactInfo& contact) {
    return service.store.write([&](Transaction& tx) {
        const TimeMs now = service.store.clock().now_ms();
        const ContactView view = contact_to_save(tx, service, contact, now);
        if (contact.version != 0 && contact.version != static_cast<uint64_t>(view.version)) {
            refuse(ErrorKind::conflict, "conflict", "the contact has changed meanwhile");
        }
        add_addresses(tx, service, view.id, contact.addresses, now);
        tx.run(sql::contact_change,
               {contact.name.empty() ? view.name : contact.name,
                contact.locale.empty() ? nullable(view.locale) : Value{contact.locale},
                with_labels(view.attributes, contact.attributes), int64_t{contact.active}, now,
                view.id, view.version});
        return contact_info(find_contact(tx, view.id).value());
    });
}

messaging::ConversationInfo open_conversation(const MessagingService& service,
                                              const messaging::NewConversation& wanted) {
    if (!service.is_channel(wanted.channel)) {
        refuse(ErrorKind::not_found, "unknown_channel",
               "there is no channel \"" + wanted.channel + "\"");
    }
    if (!wanted.mode.empty()) require_mode(wanted.mode);
    if (!wanted.context.empty()) require_json_object(wanted.context);
    const std::string department = department_named(service, wanted.department);
    return service.store.write([&](Transaction& tx) {
        const TimeMs now = service.store.clock().now_ms();
        auto id = found_by(tx, sql::conversation_by_external, wanted.channel, wanted.external_id);
        if (!id) {
            const ContactRef contact = contact_for(tx, service, wanted, now);
            const auto live = tx.first(sql::conversation_find_purpose,
                                       {wanted.channel, contact.contact_id, wanted.purpose});
            id = live ? live->text(0)
                      : create_conversation(tx, service, wanted, contact, department, now);
        }
        return conversation_info(require_conversation(tx, *id));
    });
}

messaging::ConversationInfo change_conversation(const MessagingService& service,
                                                const messaging::ConversationChange& change) {
    return service.store.write(
        [&](Transaction& tx) { return change_conversation(tx, service, change); });
}

messaging::ConversationInfo change_conversation(Transaction& tx, const MessagingService& service,
                                                const messaging::ConversationChange& change) {
    if (change.state) require_state(*change.state);
    if (change.mode) require_mode(*change.mode);
    if (change.context) require_json_object(*change.context);
    ConversationChanges changes{.state = change.state,
                                .mode = change.mode,
                                .kind = change.kind,
                                .department = change.department,
                                .assignee = change.assignee,
                                .purpose = change.purpose,
                                .context = change.context,
                                .friendly_name = change.friendly_name};
    if (change.department) changes.department = department_named(service, *change.department);
    if (change.if_version) changes.if_version = static_cast<int64_t>(*change.if_version);
    switch (change_conversation(tx, change.id, changes, service.store.clock().now_ms())) {
        case Changed::done:
            break;
        case Changed::not_found:
            refuse_unknown("conversation");
        case Changed::stale:
            refuse(ErrorKind::conflict, "conflict", "the conversation has changed meanwhile");
        case Changed::taken:
            refuse(ErrorKind::conflict, "conversation_open",
                   "the contact has another open conversation for this purpose");
    }
    return conversation_info(require_conversation(tx, change.id));
}

std::vector<messaging::ConversationInfo> list_conversations(
    const MessagingService& service, const messaging::ConversationQuery& query) {
    messaging::ConversationQuery named = query;
    named.department = department_named(service, query.department);
    return service.store.read([&](Session& session) {
        std::vector<messaging::ConversationInfo> infos;
        for (const ConversationView& view : find_all(session, named)) {
            infos.push_back(conversation_info(view));
            if (!query.with_consent || !view.address) continue;
            infos.back().opted_out = is_opted_out(session, *view.address, view.channel);
        }
        return infos;
    });
}

void read_conversation(const MessagingService& service, const std::string& id,
                       const std::string& user, uint64_t seq) {
    service.store.write([&](Transaction& tx) {
        const ConversationView view = require_conversation(tx, id);
        const int64_t up_to =
            seq > static_cast<uint64_t>(view.last_seq) ? view.last_seq : static_cast<int64_t>(seq);
        mark_conversation_read(tx, view.id, user, up_to, service.store.clock().now_ms());
    });
}

}  // namespace patchbay
