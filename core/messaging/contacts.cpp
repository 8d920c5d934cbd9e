#include "messaging/contacts.hpp"

#include "base/json.hpp"
#include "messaging/changes.hpp"
#include "messaging/conversations.hpp"
#include "messaging/phone.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

// A number in the place of a name is no name: whoever made the contact knew nothing better.
bool is_no_name(const std::string& name, const Address& address) {
    std::string digits;
    for (const char c : name) {
        if (c >= '0' && c <= '9') {
            digits += c;
        } else if (std::string_view{"+-() "}.find(c) == std::string_view::npos) {
            return false;
        }
    }
    return digits.empty() || address.value.ends_with(digits);
}

bool is_live(const Row& conversation) {
    return conversation.text(3) == "open" || conversation.text(3) == "pending";
}

// Closed before they are moved: a contact has one live conversation on a channel for one purpose.
JsonArray close_doubles(Transaction& tx, const ContactMerge& merge, const Rows& conversations) {
    JsonArray closed = make_array();
    for (const Row& one : conversations) {
        const Values place = {one.text(1), merge.kept_id, one.text(2)};
        if (!is_live(one) || !tx.first(sql::conversation_find_purpose, place)) continue;
        change_conversation(tx, one.text(0), {.state = "closed"}, merge.now);
        closed->add(one.text(0));
    }
    return closed;
}

}  // namespace

ContactRef find_or_create_contact(Transaction& tx, Mint& mint, const Address& address,
                                  const std::string& name, TimeMs at) {
    const std::string other =
        address.kind == "phone" ? phone_variant(address.value) : std::string{};
    for (const std::string& value : {address.value, other}) {
        if (value.empty()) continue;
        const auto known = tx.first(sql::address_find, {address.kind, value});
        if (!known) continue;
        const std::string known_name = known->text(2);
        const bool better = !name.empty() && is_no_name(known_name, address);
        tx.run(sql::contact_touch, {at, better ? name : known_name, at, known->text(1)});
        return {known->text(1), known->text(0), false, {address.kind, value}};
    }
    const ContactRef contact{mint.ids.uuid(), mint.ids.uuid(), true, address};
    tx.run(sql::contact_insert, {contact.contact_id, name, at, at, at});
    tx.run(sql::address_insert,
           {contact.address_id, address.kind, address.value, contact.contact_id, at});
    return contact;
}

ContactRef find_or_create_contact(Transaction& tx, Mint& mint, const Address& address,
                                  const std::vector<Address>& also, const std::string& name,
                                  TimeMs at) {
    const auto owner_of = [&](const Address& one) {
        return tx.first(sql::address_find, {one.kind, one.value});
    };
    const auto add = [&](const Address& one, const std::string& contact_id) {
        tx.run(sql::address_insert, {mint.ids.uuid(), one.kind, one.value, contact_id, at});
    };
    for (const Address& one : also) {
        if (owner_of(address)) break;
        if (const auto known = owner_of(one)) add(address, known->text(1));
    }
    const ContactRef contact = find_or_create_contact(tx, mint, address, name, at);
    for (const Address& one : also) {
        if (!owner_of(one)) add(one, contact.contact_id);
    }
    return contact;
}

void change_contact(Transaction& tx, const ContactView& contact, const ContactChanges& changes,
                    TimeMs now) {
    const auto changed = tx.first(sql::contact_change,
                                  {changes.name.value_or(contact.name), nullable(contact.locale),
                                   changes.attributes.value_or(contact.attributes),
                                   int64_t{contact.active}, now, contact.id, contact.version});
    // Between two statements of one transaction, on PostgreSQL.
    if (!changed) throw StoreError(StoreError::Kind::unavailable, "the contact changed meanwhile");
}

void merge_contacts(Transaction& tx, Ids& ids, const ContactMerge& merge) {
    const auto gone = find_contact(tx, merge.gone_id), kept = find_contact(tx, merge.kept_id);
    if (!gone || !kept || gone->id == kept->id) throw std::logic_error("merge_contacts");
    const Rows conversations = tx.run(sql::conversation_of_contact, {gone->id});
    JsonObject moved = make_object();
    moved->set("closed", close_doubles(tx, merge, conversations));
    JsonArray addresses = make_array(), moved_conversations = make_array();
    for (const Row& row : tx.run(sql::merge_addresses, {kept->id, gone->id})) {
        addresses->add(row.text(0));
    }
    tx.run(sql::merge_conversations, {kept->id, merge.now, gone->id});
    for (const Row& one : conversations) {
        moved_conversations->add(one.text(0));
        tx.note(changes::conversation_updated, one.text(0));
    }
    tx.run(sql::merge_participants, {kept->id, gone->id});
    tx.run(sql::merge_earlier, {kept->id, gone->id});
    tx.run(sql::merge_gone, {kept->id, merge.now, gone->id});
    const std::string& name = kept->name.empty() ? gone->name : kept->name;
    const TimeMs last = std::max(kept->last_message_at, gone->last_message_at);
    tx.run(sql::contact_touch, {last, name, merge.now, kept->id});
    moved->set("addresses", addresses);
    moved->set("conversations", moved_conversations);
    tx.run(sql::merge_record,
           {ids.uuid(), kept->id, gone->id, to_json(JsonValue(moved)), merge.actor, merge.now});
}

}  // namespace patchbay
