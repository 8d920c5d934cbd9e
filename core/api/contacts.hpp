// Finding one contact as a caller may see it.
#pragma once
#include "api/api.hpp"
#include "messaging/views.hpp"

namespace patchbay {

/// By id, also that of one that was merged into another. Throws Problem unknown_id, also for what
/// the caller may not see (S69).
ContactView require_contact(Session& session, const Caller& caller, const std::string& id);

}  // namespace patchbay
