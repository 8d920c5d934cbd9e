// Finding one conversation as a caller may see it.
#pragma once
#include "api/api.hpp"
#include "messaging/views.hpp"

namespace patchbay {

/// By id, number, sid:CH.., or phone:+1555.. (the newest that the caller may see). Throws Problem
/// unknown_id, also for what the caller may not see (S69).
ConversationView require_conversation(Session& session, const ApiContext& context,
                                      const Caller& caller, const std::string& id);

}  // namespace patchbay
