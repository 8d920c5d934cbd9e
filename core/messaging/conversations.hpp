// The exchange of one contact on one channel for one purpose.
#pragma once
#include <optional>
#include <string>

#include "messaging/mint.hpp"

namespace patchbay {

struct NewConversation {
    std::string channel, contact_id, address_id;
    std::string purpose;
    std::string mode = "flow";     ///< flow or relay
    std::string kind = "general";  ///< inquiry, demo, checkin, service, checked_in, general
    std::optional<std::string> department;
    TimeMs at = 0;
};

struct ConversationRef {
    std::string id;
    std::string mode;
    int64_t version = 1;
    bool created = false;
};

/// The contact's live conversation on the channel (newest first), or a new one.
ConversationRef find_or_create_conversation(Transaction& tx, Mint& mint,
                                            const NewConversation& wanted);

}  // namespace patchbay
