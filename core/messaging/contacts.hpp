// People and the ways to reach them.
#pragma once
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "messaging/mint.hpp"
#include "messaging/views.hpp"

namespace patchbay {

struct ContactRef {
    std::string contact_id, address_id;
    bool created = false;
    Address address{};  ///< Under which the contact was found, or made.
};

/// The contact behind an address, or behind the other form of that phone (phone_variant), made when
/// there is none. A known contact without a name gets
/// `name`; its last-message time moves to `at`.
ContactRef find_or_create_contact(Transaction& tx, Mint& mint, const Address& address,
                                  const std::string& name, TimeMs at);

/// The same for somebody who is known under several addresses: found under any of them, and from
/// then on under all that are nobody else's.
ContactRef find_or_create_contact(Transaction& tx, Mint& mint, const Address& address,
                                  const std::vector<Address>& also, const std::string& name,
                                  TimeMs at);

/// What is set is changed, the rest stays.
struct ContactChanges {
    std::optional<std::string> name{}, attributes{};
};
void change_contact(Transaction& tx, const ContactView& contact, const ContactChanges& changes,
                    TimeMs now);

struct ContactMerge {
    std::string gone_id, kept_id;
    std::string actor;
    TimeMs now = 0;
};
/// One person who was taken for two: addresses and conversations of the gone contact become the
/// kept one's, whose name and attributes stay. Where both have a live conversation on a channel for
/// one purpose, the gone one's is closed. Both must be there and differ (std::logic_error).
void merge_contacts(Transaction& tx, Ids& ids, const ContactMerge& merge);

}  // namespace patchbay
