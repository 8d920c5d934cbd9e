// What /ws tells: rows and instances as events, in the shapes of /api/v1.
#pragma once
#include "api/api.hpp"
#include "realtime/realtime.hpp"

namespace patchbay {

/// For Realtime::Parts::render: what was noted, read as it is now. What has gone meanwhile is left
/// out.
std::vector<LiveEvent> live_events(Session& session, const Changes& changes, TimeMs now);

LiveEvent config_reloaded(const ApiContext& context, const ReloadReport& report);

LiveEvent plugin_changed(const ApiContext& context, const std::string& instance);

/// For Realtime::Parts::sign_in. Throws Problem.
Caller caller_by_token(Identity& identity, const std::string& token);

}  // namespace patchbay
