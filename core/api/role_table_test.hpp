// Role x endpoint, transcribed from the design's table (api-shapes section 12), not from the
// routes. r read, w write, - 403, D own departments, A own assignments; for keys the scope, "me"
// any key, - none. A route that is in no row is a mistake: somebody has to decide who may use it.
#pragma once
#include <string>
#include <vector>

namespace patchbay {

struct RoleRow {
    const char* endpoint;
    std::vector<std::string> routes;  ///< "METHOD path" as in the route table.
    const char* cells;                ///< Of owner, admin, expert, agent, viewer, api.
};

inline const RoleRow role_table[] = {
    {"health, docs, openapi, the pages of one-time links",
     {"GET /health/live", "GET /health/ready", "GET /docs", "GET /docs/{file}", "GET /docs/errors",
      "GET /docs/errors/{code}", "GET /api/v1/openapi.json", "GET /welcome", "GET /welcome.js",
      "GET /invite", "GET /media/{id}"},
     "public public public public public public"},
    {"auth/login",
     {"POST /api/v1/auth/login", "POST /api/v1/auth/invite", "POST /api/v1/auth/first-owner"},
     "public public public public public public"},
    {"auth/me", {"GET /api/v1/auth/me"}, "w w w w w me"},
    {"auth/refresh, logout, ws-ticket",
     {"POST /api/v1/auth/refresh", "POST /api/v1/auth/logout", "POST /api/v1/auth/ws-ticket"},
     "w w w w w -"},
    // The handshake is everybody's: a token may come in the first message.
    {"/ws", {"GET /ws"}, "socket socket socket socket socket socket"},
    {"conversations, messages, contacts: read",
     {"GET /api/v1/conversations", "GET /api/v1/conversations/{id}",
      "GET /api/v1/conversations/{id}/messages", "GET /api/v1/messages",
      "GET /api/v1/messages/{id}", "GET /api/v1/contacts", "GET /api/v1/contacts/{id}",
      "GET /api/v1/media/{id}"},
     "r r A D D messages:read"},
    {"conversations/messages: write; messages",
     {"POST /api/v1/conversations/{id}/messages", "POST /api/v1/conversations/{id}/assign",
      "POST /api/v1/conversations/{id}/close", "POST /api/v1/conversations/{id}/reopen",
      "POST /api/v1/conversations/{id}/read", "POST /api/v1/conversations/{id}/typing",
      "POST /api/v1/conversations/{id}/relay", "POST /api/v1/conversations/{id}/end-relay",
      "POST /api/v1/messages", "POST /api/v1/messages/{id}/resend", "POST /api/v1/media"},
     "w w A D - messages:send"},
    {"messages/bulk, jobs",
     {"POST /api/v1/messages/bulk", "GET /api/v1/jobs/{id}", "POST /api/v1/jobs/{id}/stop"},
     "w w - D - messages:bulk"},
    {"contacts: change, merge, opt",
     {"PATCH /api/v1/contacts/{id}", "POST /api/v1/contacts/{id}/merge",
      "POST /api/v1/contacts/{id}/opt-out", "POST /api/v1/contacts/{id}/opt-in"},
     "w w - D - contacts:write"},
    {"contacts: export, erase",
     {"POST /api/v1/contacts/{id}/export", "POST /api/v1/contacts/{id}/erase",
      "GET /api/v1/jobs/{id}/result"},
     "w w - - - -"},
    {"channels, departments, flows, rules, templates: read",
     {"GET /api/v1/channels", "GET /api/v1/channels/{name}", "GET /api/v1/departments",
      "GET /api/v1/flows", "GET /api/v1/flows/{name}", "POST /api/v1/flows/{name}/dry-run",
      "GET /api/v1/rules", "GET /api/v1/templates"},
     "r r r r r config:read"},
    {"plugins, config, ingress, events: read",
     {"GET /api/v1/plugins", "GET /api/v1/plugins/{instance}",
      "GET /api/v1/plugins/{instance}/schema", "GET /api/v1/plugins/{instance}/health",
      "GET /api/v1/config", "POST /api/v1/config/check", "GET /api/v1/ingress",
      "GET /api/v1/ingress/{id}", "GET /api/v1/events"},
     "r r - - - config:read"},
    {"audit: read", {"GET /api/v1/audit", "GET /api/v1/audit/check"}, "r r - - - -"},
    {"plugins enable/disable/reload, config/reload, replay, resume",
     {"POST /api/v1/plugins/{instance}/enable", "POST /api/v1/plugins/{instance}/disable",
      "POST /api/v1/plugins/{instance}/reload", "POST /api/v1/config/reload",
      "POST /api/v1/ingress/replay", "POST /api/v1/channels/{name}/resume"},
     "w w - - - ops"},
    {"deliveries: read",
     {"GET /api/v1/deliveries", "GET /api/v1/deliveries/{id}"},
     "r r - D D deliveries:read"},
    {"deliveries: retry, cancel",
     {"POST /api/v1/deliveries/{id}/retry", "POST /api/v1/deliveries/{id}/cancel"},
     "w w - D - ops"},
    {"users, api-keys, webhooks",
     {"GET /api/v1/users", "POST /api/v1/users", "GET /api/v1/users/{id}",
      "PATCH /api/v1/users/{id}", "DELETE /api/v1/users/{id}", "GET /api/v1/api-keys",
      "POST /api/v1/api-keys", "DELETE /api/v1/api-keys/{id}", "GET /api/v1/webhooks",
      "POST /api/v1/webhooks", "GET /api/v1/webhooks/{id}", "PATCH /api/v1/webhooks/{id}",
      "DELETE /api/v1/webhooks/{id}"},
     "w w - - - -"},
    {"metrics", {"GET /metrics"}, "r r - - - metrics:read"},
    // The command line on this machine, which no role is.
    {"users/{id}/token", {"POST /api/v1/users/{id}/token"}, "- - - - - -"},
};

}  // namespace patchbay
