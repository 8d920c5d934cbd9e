// GET /api/v1/channels; POST /api/v1/channels/{name}/resume
#include "api/answers.hpp"
#include "api/idempotency.hpp"
#include "api/instances.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/statements.hpp"
#include "delivery/statements.hpp"
#include "identity/audit.hpp"

namespace patchbay {
namespace {

JsonObject capabilities_json(const Capabilities& can) {
    JsonObject json = make_object();
    json->set("text", can.text);
    json->set("media", can.media);
    json->set("templates", can.templates);
    json->set("delivery_status", can.delivery_status);
    json->set("media_types", json_texts(can.media_types));
    json->set("max_text_chars", int64_t{can.max_text_chars});
    json->set("max_media", int64_t{can.max_media});
    json->set("session_window_ms", int64_t{can.session_window.count()});
    return json;
}

/// Route name -> what to enter at the provider; they are taken while the instance is disabled too.
JsonObject webhooks_json(const ApiContext& context, const std::string& instance) {
    JsonObject json = make_object();
    const auto face = context.plugins ? context.plugins->webhooks(instance) : std::nullopt;
    if (!face) return json;
    const std::string hooks = context.config()->server.public_url + "/hooks/" + instance + "/";
    for (const Route& route : face->routes) {
        const std::string& path = route.path.empty() ? route.name : route.path;
        json->set(route.name, hooks + path);
    }
    return json;
}

struct Paused {
    std::map<std::string, std::string> reasons;
    explicit Paused(Session& session) {
        for (const Row& row : session.run(sql::channel_state_all)) {
            if (!row.is_null(1)) reasons[row.text(0)] = row.text(1);
        }
    }
    std::optional<std::string> of(const std::string& channel) const {
        const auto found = reasons.find(channel);
        return found == reasons.end() ? std::nullopt : std::optional(found->second);
    }
};

std::string health_of(const InstanceView& instance, const std::optional<std::string>& paused) {
    if (instance.state == "failed" || instance.state == "stuck") return "down";
    if (instance.state != "active") return "unknown";
    return paused ? "degraded" : "up";
}

JsonObject channel_json(Session& session, const ApiContext& context, const InstanceView& instance,
                        const Paused& paused) {
    const std::string& name = instance.info.instance;
    const PluginLeasePtr lease = context.plugins ? context.plugins->lease(name) : nullptr;
    const auto reason = paused.of(name);
    JsonObject json = make_object();
    json->set("name", name);
    json->set("plugin", instance.info.plugin);
    json->set("state", instance.state);
    json->set("health", health_of(instance, reason));
    json->set("paused", json_or_null(reason));
    json->set("capabilities",
              lease ? JsonValue(capabilities_json(lease->capabilities())) : json_null());
    json->set("queued", session.first(sql::job_depth, {name})->number(0));
    json->set("webhooks", webhooks_json(context, name));
    return json;
}

/// Without a server nobody knows which instances carry messages, so all are shown.
bool is_channel(const InstanceView& instance) {
    return instance.info.provides.empty() || provides(instance.info, "channel/1");
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "channels");
    const JsonObject answer = context.store.read([&](Session& session) {
        const Paused paused(session);
        JsonArray items = make_array();
        for (const auto& instance : list_instances(context)) {
            if (is_channel(instance)) {
                items->add(channel_json(session, context, instance, paused));
            }
        }
        return list_json(items, std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

void resume(const ExchangePtr& exchange, ApiContext& context) {
    const std::string name = exchange->params.at("name");
    if (!begins_once(exchange, context.store)) return;
    for (const auto& instance : list_instances(context)) {
        if (instance.info.instance != name || !is_channel(instance)) continue;
        if (!context.resume) throw Problem("channel_unavailable", "No server runs.");
        context.resume(name);
        context.store.write([&](Transaction& tx) {
            append_audit(tx, audit_of(exchange, "channel.resume", "channel", name), context.now());
        });
        return answer_json(exchange, 200, context.store.read([&](Session& session) {
            return channel_json(session, context, instance, Paused(session));
        }));
    }
    throw unknown_id("channel");
}

}  // namespace

void add_channel_routes(Router& router, ApiContext& context) {
    router.add({.name = "channels.list",
                .method = "GET",
                .path = "/api/v1/channels",
                .roles = roles::config_readers,
                .about = "Instances that carry messages, with the URLs to enter at the provider.",
                .query = list_query(),
                .answers = page_of("Channel")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "channels.resume",
                .method = "POST",
                .path = "/api/v1/channels/{name}/resume",
                .body = BodyKind::none,
                .roles = roles::switchers,
                .about = "Lets a paused channel send again.",
                .answers = {{.schema = "Channel"}},
                .problems = {"channel_unavailable"}},
               [&](const ExchangePtr& exchange) { resume(exchange, context); });
}

}  // namespace patchbay
