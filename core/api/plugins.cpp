// GET /api/v1/plugins, /{instance}; POST /{instance}/enable, /disable, /reload
#include <filesystem>
#include <tuple>

#include "api/answers.hpp"
#include "api/idempotency.hpp"
#include "api/instances.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "base/log.hpp"
#include "identity/audit.hpp"

namespace patchbay {
namespace {

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
    json->set("last_error", info.last_error.empty() ? json_null() : JsonValue(info.last_error));
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

/// For the running process: the file is what the next start goes by.
void change(const ExchangePtr& exchange, ApiContext& context, const std::string& action,
            void (PluginHost::*work)(const std::string&)) {
    const std::string name = exchange->params.at("instance");
    if (!begins_once(exchange, context.store)) return;
    AuditRecord record = audit_of(exchange, "plugin." + action, "instance", name);
    record.before = require_instance(context, name);
    if (!context.plugins || !context.instance_changed)
        throw Problem("channel_unavailable", "No server runs.");
    try {
        (context.plugins->*work)(name);
    } catch (const ConfigError& error) {
        throw plugin_failed(error);
    } catch (const Error& error) {
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
    for (const auto& configured : context.config.plugins) {
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
    using Work = void (PluginHost::*)(const std::string&);
    const std::tuple<const char*, Work, const char*> actions[] = {
        {"enable", &PluginHost::enable, "What was kept for it goes on."},
        {"disable", &PluginHost::disable, "Webhooks and sends are kept until it is enabled again."},
        {"reload", static_cast<Work>(&PluginHost::reload), "A fresh copy of the library."},
    };
    for (const auto& [action, work, about] : actions) {
        router.add({.name = std::string("plugins.") + action,
                    .method = "POST",
                    .path = std::string("/api/v1/plugins/{instance}/") + action,
                    .body = BodyKind::none,
                    .roles = roles::switchers,
                    .about = about,
                    .answers = {{.schema = "Plugin"}},
                    .problems = {"plugin_failed", "channel_unavailable"}},
                   [&context, action = std::string(action), work = work](
                       const ExchangePtr& exchange) { change(exchange, context, action, work); });
    }
}

}  // namespace patchbay
