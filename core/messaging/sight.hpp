// Reading what a caller may see: one row by its id, foreign ones like unknown ones (S69).
#pragma once
#include <optional>
#include <string>

#include "identity/access.hpp"
#include "messaging/views.hpp"

namespace patchbay {

/// $1 to $3 of the statements in sight_statements.hpp, followed by `more`.
Values sight_values(const Sight& sight, const Values& more = {});

std::optional<ConversationView> find_seen_conversation(Session& session, const Sight& sight,
                                                       const std::string& id_or_number);
std::optional<MessageView> find_seen_message(Session& session, const Sight& sight,
                                             const std::string& id_or_number);
std::optional<ContactView> find_seen_contact(Session& session, const Sight& sight,
                                             const std::string& id);

}  // namespace patchbay
