// GET /ws: the console's live events (api-shapes section 11); POST /api/v1/auth/ws-ticket
#include "api/answers.hpp"
#include "api/live_events.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "http/query.hpp"
#include "identity/ws_tickets.hpp"

namespace patchbay {
namespace {

/// An empty Caller: the first message has to say it. Throws Problem for bad credentials, and for a
/// cookie that a foreign page makes the browser send (S67).
Caller who_asks(const HttpRequest& request, ApiContext& context) {
    const Query query = Query::parse(request.query);
    // A token in a URL ends up in logs and histories.
    query.require_known({"ticket"});
    if (const auto ticket = query.find("ticket")) return use_ws_ticket(context.store, *ticket);
    Caller caller = context.identity.caller_of(request);
    if (caller.by_cookie) context.identity.own_pages().require(request);
    return caller;
}

void open_socket(const ExchangePtr& exchange, ApiContext& context) {
    const TimeMs now = context.now();
    Caller caller = who_asks(exchange->request(), context);
    if (!context.realtime) throw Problem("channel_unavailable", "No server runs.");
    std::optional<Caller> who;
    if (caller.signed_in()) who = std::move(caller);
    if (who && !may_have(*who, Topic::conversations))
        throw Problem("forbidden", "Your role may not listen.");
    exchange->upgrade(context.realtime->listener(std::move(who), now));
}

void make_ticket(const ExchangePtr& exchange, ApiContext& context) {
    if (exchange->caller.kind != "user") throw unknown_id("user; this is the local operator");
    const WsTicket ticket = make_ws_ticket(context.store, exchange->caller);
    JsonObject json = make_object();
    json->set("ticket", ticket.secret);
    json->set("expires_at", time_json(ticket.expires_at));
    answer_json(exchange, 201, json);
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
    router.add({.name = "auth.ws_ticket",
                .method = "POST",
                .path = "/api/v1/auth/ws-ticket",
                .roles = roles::people,
                .about = "Opens one socket within 30 s: /ws?ticket=",
                .answers = {{.status = 201, .schema = "WsTicket"}},
                .problems = {"unknown_id"}},
               [&](const ExchangePtr& exchange) { make_ticket(exchange, context); });
}

}  // namespace patchbay
