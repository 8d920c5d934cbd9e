// People and the ways to reach them.
#pragma once
#include <patchbay/sdk.hpp>
#include <string>

#include "messaging/mint.hpp"

namespace patchbay {

struct ContactRef {
    std::string contact_id, address_id;
    bool created = false;
};

/// The contact behind an address, made when there is none. A known contact without a name gets
/// `name`; its last-message time moves to `at`.
ContactRef find_or_create_contact(Transaction& tx, Mint& mint, const Address& address,
                                  const std::string& name, TimeMs at);

}  // namespace patchbay
