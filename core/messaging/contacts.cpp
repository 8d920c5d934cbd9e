#include "messaging/contacts.hpp"

#include "messaging/statements.hpp"

namespace patchbay {

ContactRef find_or_create_contact(Transaction& tx, Mint& mint, const Address& address,
                                  const std::string& name, TimeMs at) {
    if (const auto known = tx.first(sql::address_find, {address.kind, address.value})) {
        tx.run(sql::contact_touch, {at, name, at, known->text(1)});
        return {known->text(1), known->text(0), false};
    }
    const ContactRef contact{mint.ids.uuid(), mint.ids.uuid(), true};
    tx.run(sql::contact_insert, {contact.contact_id, name, at, at, at});
    tx.run(sql::address_insert,
           {contact.address_id, address.kind, address.value, contact.contact_id, at});
    return contact;
}

}  // namespace patchbay
