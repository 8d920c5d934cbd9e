// What is told of a change to those who do not ask: the objects as /api/v1 shows them.
#pragma once
#include <optional>

#include "base/json.hpp"
#include "delivery/webhook_feed.hpp"
#include "messaging/views.hpp"

namespace patchbay {

/// `data` of a change (messaging/changes.hpp), the same on `/ws` and in webhooks.
JsonObject change_json(const MessageView& message, std::string_view what);
JsonObject change_json(Session& session, const ConversationView& conversation,
                       std::string_view what);

/// `data` of a webhook. nullopt: the object is gone.
std::optional<JsonObject> webhook_data(Session& session, const WebhookEvent& event);

}  // namespace patchbay
