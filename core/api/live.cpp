// GET /ws: the console's live events (api-shapes section 11).
#include "api/live_events.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "http/query.hpp"

namespace patchbay {
namespace {

/// nullopt: the first message has to say it.
std::optional<SignedIn> who_asks(const HttpRequest& request, ApiContext& context) {
    Caller caller = context.identity.caller_of(request);
    if (!caller.signed_in()) return std::nullopt;
    return SignedIn{.caller = std::move(caller)};
}

void open_socket(const ExchangePtr& exchange, ApiContext& context) {
    const HttpRequest& request = exchange->request();
    // A token in a URL ends up in logs and histories (S67).
    Query::parse(request.query).require_known({"ticket"});
    if (!context.realtime) throw Problem("channel_unavailable", "No server runs.");
    auto who = who_asks(request, context);
    if (who && !may_have(who->caller, Topic::conversations))
        throw Problem("forbidden", "Your role may not listen.");
    exchange->upgrade(context.realtime->listener(std::move(who)));
}

}  // namespace

void add_live_routes(Router& router, ApiContext& context) {
    router.add({.name = "live",
                .method = "GET",
                .path = "/ws",
                .roles = roles::everyone,
                .socket = true,
                .about = "Live events over WebSocket; docs/realtime.md has the messages."},
               [&](const ExchangePtr& exchange) { open_socket(exchange, context); });
}

}  // namespace patchbay
