// What is told of a change to those who do not ask: the objects as /api/v1 shows them.
#pragma once
#include <optional>

#include "base/json.hpp"
#include "delivery/webhook_feed.hpp"

namespace patchbay {

/// `data` of a webhook. nullopt: the object is gone.
std::optional<JsonObject> webhook_data(Session& session, const WebhookEvent& event);

}  // namespace patchbay
