#include "api/plugin_routes.hpp"

#include <patchbay/text.hpp>

#include "api/idempotency.hpp"
#include "api/roles.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"

namespace patchbay {
namespace {

constexpr unsigned threads = 32;
constexpr size_t max_waiting = 64;  // Of each instance.
constexpr std::chrono::seconds unavailable_for{30};

// What a plugin may see of the headers: never the credentials of the caller.
constexpr std::array<std::string_view, 5> shown_headers{
    "content-type", "accept", "accept-language", "idempotency-key",
    "x-verify-token"};  // Of a provider's probe: no credential of the hub's.

std::string owner_of(const std::string& instance) { return instance + "/api"; }

BodyKind body_kind(const ApiRoute& route) {
    if (route.method == "GET" || route.method == "DELETE") return BodyKind::none;
    switch (route.body) {
        case RouteBody::json:
            return BodyKind::json;
        case RouteBody::form:
            return BodyKind::form;
        case RouteBody::raw:
            return BodyKind::any;
    }
    return BodyKind::any;
}

Request request_of(const Exchange& exchange, const ApiRoute& route) {
    const HttpRequest& http = exchange.request();
    Request request;
    request.route = route.name;
    request.method = http.method;
    request.url = http.target;
    request.body = http.body;
    for (const std::string_view name : shown_headers) {
        if (const auto value = http.header(name)) request.headers[std::string{name}] = *value;
    }
    const Query query = Query::parse(http.query);
    for (const auto& [name, value] : query.all()) request.query[name] = value;
    request.peer = http.peer;
    request.user = exchange.caller.id;
    request.role = exchange.caller.role;
    request.departments = exchange.caller.departments;
    request.params = exchange.params;
    request.id = exchange.id();
    return request;
}

}  // namespace

PluginRoutes::PluginRoutes(Store& store, PluginHost& plugins, Router& router)
    : store_(store),
      plugins_(plugins),
      router_(router),
      pool_("plugin-api", threads, max_waiting) {}

RouteEntry PluginRoutes::entry_for(const std::string& instance, const ApiRoute& route) {
    RouteSpec spec{.name = instance + "." + route.name,
                   .method = route.method,
                   .path = route.path,
                   .body = body_kind(route),
                   .max_body_bytes = route.max_body_bytes,
                   .runs_on = RunsOn::worker,
                   .roles = roles::of_plugin(route.callers, route.scope),
                   .about = route.about,
                   .answers = {{.status = RouteAnswer::any_status}}};
    return {std::move(spec), [this, instance, route](const ExchangePtr& exchange) {
                const bool taken = pool_.post(instance, [this, instance, route, exchange] {
                    answering_errors(exchange, [&] { answer(exchange, instance, route); });
                });
                if (!taken) throw Problem("busy");
            }};
}

void PluginRoutes::answer(const ExchangePtr& exchange, const std::string& instance,
                          const ApiRoute& route) {
    const PluginLeasePtr plugin = plugins_.lease(instance);
    if (!plugin && route.when_off) return exchange->answer(*route.when_off);
    if (!plugin) throw Problem("channel_unavailable").retry_after(unavailable_for);
    if (route.method == "POST" && !begins_once(exchange, store_)) return;
    exchange->answer(
        plugin->answer(Call{.trace = exchange->request().trace, .left = route.deadline},
                       request_of(*exchange, route)));
}

std::vector<TakenRoute> PluginRoutes::publish(const std::string& instance) {
    std::vector<RouteEntry> entries;
    for (const ApiRoute& route : plugins_.api_routes(instance)) {
        entries.push_back(entry_for(instance, route));
    }
    return router_.replace_free(owner_of(instance), std::move(entries));
}

void PluginRoutes::withdraw(const std::string& instance) {
    router_.replace(owner_of(instance), {});
}

}  // namespace patchbay
