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
    bool reopen = false;  ///< The newest closed one of that purpose rather than a new one.
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

/// What is set is changed, the rest stays. An empty department, assignee or name is none.
struct ConversationChanges {
    std::optional<std::string> state{}, mode{}, kind{}, department{}, assignee{}, purpose{},
        context{}, friendly_name{};
    std::optional<int64_t> if_version{};
};

enum class Changed {
    done,
    not_found,
    stale,  ///< It has another version.
    taken   ///< The contact has another live conversation on the channel for that purpose.
};

/// Raises the version; `closed_at` follows the state.
Changed change_conversation(Transaction& tx, const std::string& id,
                            const ConversationChanges& changes, TimeMs now);

/// The team, and `user` where one is given and takes part, have read up to `seq`.
void mark_conversation_read(Transaction& tx, const std::string& id, const std::string& user,
                            int64_t seq, TimeMs now);

}  // namespace patchbay
