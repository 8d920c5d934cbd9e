#include "messaging/contacts.hpp"

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

}  // namespace

ContactRef find_or_create_contact(Transaction& tx, Mint& mint, const Address& address,
                                  const std::string& name, TimeMs at) {
    if (const auto known = tx.first(sql::address_find, {address.kind, address.value})) {
        const std::string known_name = known->text(2);
        const bool better = !name.empty() && is_no_name(known_name, address);
        tx.run(sql::contact_touch, {at, better ? name : known_name, at, known->text(1)});
        return {known->text(1), known->text(0), false};
    }
    const ContactRef contact{mint.ids.uuid(), mint.ids.uuid(), true};
    tx.run(sql::contact_insert, {contact.contact_id, name, at, at, at});
    tx.run(sql::address_insert,
           {contact.address_id, address.kind, address.value, contact.contact_id, at});
    return contact;
}

}  // namespace patchbay
