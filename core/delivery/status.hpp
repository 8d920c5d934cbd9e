// What providers say about a message after they took it. The status only rises (G8); what comes
// before its message is known is kept (G9).
#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "delivery/verdict.hpp"
#include "store/store.hpp"

namespace patchbay {

inline constexpr std::chrono::hours keep_early_statuses{72};

struct StatusEvent {
    std::string channel, provider_id;
    std::string our_message_id;  ///< From the callback's address or data; may be empty.
    std::string status;          ///< A word of messaging/status.hpp.
    std::string code, reason;
    TimeMs at = 0;    ///< The provider's time; 0: now.
    std::string raw;  ///< JSON as it came; may be empty.
};

struct StatusApplied {
    bool stored = false;                      ///< false: a repeat, nothing changed.
    std::string message_id, conversation_id;  ///< Empty: early, kept for 72 h.
    bool raised = false;                      ///< The message's status changed.
    std::string status;                       ///< The message's, when it changed.
    bool lane_moved = false;  ///< It was evidence for a send of unknown outcome: wake the channel's
                              ///< queue after the commit.
};

/// In the caller's transaction, in any order, any number of times (F34, F35).
StatusApplied apply_status_event(Transaction& tx, Ids& ids, const StatusEvent& event, TimeMs now);

/// The provider has it: its ids, callbacks that came early, and the status that follows from both.
/// The caller holds the lane. Answers the message's status afterwards.
std::string record_acceptance(Transaction& tx, const std::string& message_id,
                              const TryResult& result, TimeMs now);

struct MessageOn {
    const std::string& channel;
    const std::string& id;
};
/// Raises the status; false where it is as high already.
bool raise_status(Transaction& tx, const MessageOn& message, const std::string& status,
                  const std::string& code, const std::string& reason, TimeMs now);

/// An early callback whose message has got its provider id meanwhile.
struct EarlyStatus {
    std::string channel, provider_id, message_id, conversation_id;
};
/// Pairs that neither transaction saw, as PostgreSQL allows: callbacks of the last ten minutes.
std::vector<EarlyStatus> find_reunited(Session& session, TimeMs now);
/// True: the message's status changed.
bool reunite(Transaction& tx, const EarlyStatus& early, TimeMs now);

}  // namespace patchbay
