// GET /api/v1/plugins
#include <filesystem>

#include "api/answers.hpp"
#include "api/instances.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"

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
    const ListRequest list(exchange->request(), "plugins", {});
    JsonArray items = make_array();
    for (const auto& instance : list_instances(context)) items->add(plugin_json(instance));
    answer_json(exchange, 200, list_json(items, std::nullopt));
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    for (const auto& instance : list_instances(context)) {
        if (instance.info.instance == exchange->params.at("instance")) {
            return answer_json(exchange, 200, plugin_json(instance));
        }
    }
    throw unknown_id("instance");
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

bool provides(const InstanceInfo& info, std::string_view interface_id) {
    return std::find(info.provides.begin(), info.provides.end(), interface_id) !=
           info.provides.end();
}

void add_plugin_routes(Router& router, ApiContext& context) {
    router.add({.name = "plugins.list",
                .method = "GET",
                .path = "/api/v1/plugins",
                .roles = roles::operators,
                .about = "What is loaded, and why something is not."},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "plugins.get",
                .method = "GET",
                .path = "/api/v1/plugins/{instance}",
                .roles = roles::operators,
                .about = "One instance."},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
}

}  // namespace patchbay
