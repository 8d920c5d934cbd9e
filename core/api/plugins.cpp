// GET /api/v1/plugins, /{instance}, /{instance}/schema, /health; POST /{instance}/enable, /disable,
// /reload
#include <filesystem>
#include <tuple>

#include "api/answers.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/instances.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "base/log.hpp"
#include "config/json_schema.hpp"
#include "identity/audit.hpp"

namespace patchbay {
namespace {

constexpr std::chrono::seconds health_deadline{1};

JsonObject plugin_json(const InstanceView& instance) {
    const InstanceInfo& info = instance.info;
    JsonObject json = make_object();
    json->set("instance", info.instance);
    json->set("plugin", info.plugin);
    json->set("version", info.version);
    json->set("sdk", info.sdk);
    json->set("state", instance.state);
    json->set("generation", info.generation);
    json->set("isolation", info.isolation);
    json->set("enabled", info.enabled);
    json->set("leases", info.leases);
    json->set("lost_threads", info.lost_threads);
    json->set("resident", info.stuck + info.resident);
    const std::string reason = info.last_error.empty() ? info.lingering() : info.last_error;
    json->set("last_error", reason.empty() ? json_null() : JsonValue(reason));
    json->set("provides", json_texts(info.provides));
    json->set("file", std::filesystem::path(info.file).filename().string());
    return json;
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    // One page always: a hub has few instances.
    const ListRequest list(exchange->request(), "plugins");
    JsonArray items = make_array();
    for (const auto& instance : list_instances(context)) items->add(plugin_json(instance));
    answer_json(exchange, 200, list_json(items, std::nullopt));
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    answer_json(exchange, 200, require_instance(context, exchange->params.at("instance")));
}

PluginHost& require_plugins(const ApiContext& context) {
    if (!context.plugins) throw Problem("channel_unavailable", "No server runs.");
    return *context.plugins;
}

Problem plugin_failed(const std::string& reason) {
    return Problem("plugin_failed", redact(reason));
}

/// Each mistake at its place in the file; what was refused is the configuration, not the request.
Problem plugin_failed(const ConfigError& error) {
    std::vector<FieldProblem> errors;
    for (const ConfigProblem& one : error.problems) {
        errors.push_back({one.path, "config_invalid", redact(one.text())});
    }
    return Problem("plugin_failed", "The configuration has mistakes.", std::move(errors));
}

void get_schema(const ExchangePtr& exchange, ApiContext& context) {
    const std::string name = exchange->params.at("instance");
    require_instance(context, name);
    PluginHost& plugins = require_plugins(context);
    try {
        answer_json(exchange, 200, block_schema(plugins.schema(plugins.find(name)->plugin)));
    } catch (const Error& error) {
        throw plugin_failed(error.what());
    }
}

/// What the plugin says of itself, or why it cannot say it.
Health health_of(const PluginHost& plugins, const std::string& name) {
    const InstanceInfo info = plugins.find(name).value();
    const PluginLeasePtr lease = plugins.lease(name);
    if (!lease) {
        const std::string why = info.last_error.empty() ? "" : ": " + info.last_error;
        return {.state = Health::down, .text = std::string(word(info.state)) + why};
    }
    Health health;
    try {
        if (lease->provides(HealthCheck::interface_id))
            health = lease->health(Call{.left = health_deadline});
    } catch (const Error& error) {
        return {.state = Health::down, .text = error.what()};
    }
    const std::string left = info.lingering();
    if (left.empty()) return health;
    if (health.state == Health::up) health.state = Health::degraded;
    health.text += (health.text.empty() ? "" : "; ") + left;
    return health;
}

void get_health(const ExchangePtr& exchange, ApiContext& context) {
    static constexpr const char* words[] = {"up", "degraded", "down"};
    const std::string name = exchange->params.at("instance");
    require_instance(context, name);
    const Health health = health_of(require_plugins(context), name);
    JsonObject checks = make_object();
    for (const auto& [check, text] : health.checks) checks->set(check, redact(text));
    JsonObject json = make_object();
    json->set("state", words[std::min<size_t>(health.state, std::size(words) - 1)]);
    json->set("text", redact(health.text));
    json->set("checks", checks);
    answer_json(exchange, 200, json);
}

/// Of a reload: to the file before.
bool wants_back(const HttpRequest& request) {
    if (request.body.empty()) return false;
    Fields fields(request);
    const bool back = fields.flag("back").value_or(false);
    fields.done();
    return back;
}

/// For the running process: the file is what the next start goes by.
using Work = void (PluginHost::*)(const std::string&);
void change(const ExchangePtr& exchange, ApiContext& context, const std::string& action,
            Work work) {
    const std::string name = exchange->params.at("instance");
    if (!begins_once(exchange, context.store)) return;
    AuditRecord record = audit_of(exchange, "plugin." + action, "instance", name);
    record.before = require_instance(context, name);
    PluginHost& plugins = require_plugins(context);
    if (!context.instance_changed) throw Problem("channel_unavailable", "No server runs.");
    try {
        (plugins.*work)(name);
    } catch (const ConfigError& error) {
        throw plugin_failed(error);
    } catch (const Error& error) {
        if (error.code == reload_running) throw Problem(reload_running);
        throw plugin_failed(error.what());
    }
    context.instance_changed(name);
    record.after = require_instance(context, name);
    context.store.write([&](Transaction& tx) { append_audit(tx, record, context.now()); });
    answer_json(exchange, 200, record.after);
}

}  // namespace

std::vector<InstanceView> list_instances(const ApiContext& context) {
    std::vector<InstanceView> out;
    const ConfigPtr config = context.config();
    for (const auto& configured : config->plugins) {
        const auto info = context.plugins ? context.plugins->find(configured.name) : std::nullopt;
        if (info) {
            out.push_back({*info, std::string(word(info->state))});
            continue;
        }
        InstanceInfo known;
        known.instance = configured.name;
        known.plugin = configured.plugin;
        known.isolation = configured.isolation;
        known.enabled = configured.enabled;
        out.push_back({known, "not_running"});
    }
    return out;
}

JsonObject require_instance(const ApiContext& context, const std::string& name) {
    for (const auto& instance : list_instances(context)) {
        if (instance.info.instance == name) return plugin_json(instance);
    }
    throw unknown_id("instance");
}

bool provides(const InstanceInfo& info, std::string_view interface_id) {
    return std::find(info.provides.begin(), info.provides.end(), interface_id) !=
           info.provides.end();
}

void add_plugin_routes(Router& router, ApiContext& context) {
    router.add({.name = "plugins.list",
                .method = "GET",
                .path = "/api/v1/plugins",
                .roles = roles::operators,
                .about = "What is loaded, and why something is not.",
                .query = list_query(),
                .answers = page_of("Plugin")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "plugins.get",
                .method = "GET",
                .path = "/api/v1/plugins/{instance}",
                .roles = roles::operators,
                .about = "One instance.",
                .answers = {{.schema = "Plugin"}}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
    router.add({.name = "plugins.schema",
                .method = "GET",
                .path = "/api/v1/plugins/{instance}/schema",
                .roles = roles::operators,
                .about = "JSON Schema of its configuration block.",
                .answers = {{.schema = "AnyObject"}},
                .problems = {"plugin_failed", "channel_unavailable"}},
               [&](const ExchangePtr& exchange) { get_schema(exchange, context); });
    router.add({.name = "plugins.health",
                .method = "GET",
                .path = "/api/v1/plugins/{instance}/health",
                .roles = roles::operators,
                .about = "What the plugin says of itself, or why it does not run.",
                .answers = {{.schema = "PluginHealth"}},
                .problems = {"channel_unavailable"}},
               [&](const ExchangePtr& exchange) { get_health(exchange, context); });
    const std::tuple<const char*, Work, const char*> actions[] = {
        {"enable", &PluginHost::enable, "What was kept for it goes on."},
        {"disable", &PluginHost::disable, "Webhooks and sends are kept until it is enabled again."},
    };
    for (const auto& [action, work, about] : actions) {
        router.add({.name = std::string("plugins.") + action,
                    .method = "POST",
                    .path = std::string("/api/v1/plugins/{instance}/") + action,
                    .body = BodyKind::none,
                    .roles = roles::switchers,
                    .about = about,
                    .answers = {{.schema = "Plugin"}},
                    .problems = {"plugin_failed", "reload_running", "channel_unavailable"}},
                   [&context, action = std::string(action), work = work](
                       const ExchangePtr& exchange) { change(exchange, context, action, work); });
    }
    router.add({.name = "plugins.reload",
                .method = "POST",
                .path = "/api/v1/plugins/{instance}/reload",
                .body = BodyKind::json,
                .roles = roles::switchers,
                .about = "A fresh copy of the library, or of the one that ran before.",
                .takes = "PluginReload",
                .body_optional = true,
                .answers = {{.schema = "Plugin"}},
                .problems = {"plugin_failed", "reload_running", "channel_unavailable"}},
               [&](const ExchangePtr& exchange) {
                   const bool back = wants_back(exchange->request());
                   change(exchange, context, "reload",
                          back ? &PluginHost::reload_back : static_cast<Work>(&PluginHost::reload));
               });
}

}  // namespace patchbay
