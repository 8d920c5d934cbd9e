// The objects of /api/v1 as JSON (api-shapes section 9).
#pragma once
#include "api/answers.hpp"
#include "identity/users.hpp"
#include "messaging/views.hpp"

namespace patchbay {

JsonObject user_json(const User& user);
/// Reads the last message too.
JsonObject conversation_json(Session& session, const ConversationView& conversation);
JsonValue error_json(const MessageView& message);  ///< null where it has not failed.
JsonObject message_json(const MessageView& message);
JsonObject contact_json(Session& session, const ContactView& contact);

}  // namespace patchbay
