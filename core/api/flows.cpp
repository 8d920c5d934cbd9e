// GET /api/v1/flows, /{name}; POST /api/v1/flows/{name}/dry-run
#include "flows/dry_run.hpp"

#include "api/answers.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/instances.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"

namespace patchbay {
namespace {

constexpr size_t max_messages = 50;

/// Without a server nobody knows which instances are flows: those that a channel names.
bool is_flow(const ApiContext& context, const InstanceView& instance) {
    if (!instance.info.provides.empty()) return provides(instance.info, FlowSteps::interface_id);
    const ConfigPtr config = context.config();
    const auto& all = config->plugins;
    return std::any_of(all.begin(), all.end(), [&](const InstanceConfig& one) {
        return one.flow == instance.info.instance;
    });
}

JsonArray channels_of(const ApiContext& context, const std::string& flow) {
    JsonArray channels = make_array();
    const ConfigPtr config = context.config();
    for (const InstanceConfig& one : config->plugins) {
        if (one.flow == flow) channels->add(one.name);
    }
    return channels;
}

JsonArray steps_json(const ApiContext& context, const std::string& flow) {
    JsonArray steps = make_array();
    const PluginLeasePtr lease = context.plugins ? context.plugins->lease(flow) : nullptr;
    if (!lease) return steps;
    for (const StepInfo& step : lease->steps()) {
        JsonObject json = make_object();
        json->set("name", step.name);
        json->set("about", step.about);
        steps->add(json);
    }
    return steps;
}

JsonObject flow_json(const ApiContext& context, const InstanceView& instance) {
    JsonObject json = make_object();
    json->set("name", instance.info.instance);
    json->set("plugin", instance.info.plugin);
    json->set("version", instance.info.version);
    json->set("state", instance.state);
    json->set("channels", channels_of(context, instance.info.instance));
    json->set("steps", steps_json(context, instance.info.instance));
    return json;
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    // One page always: a hub has few instances.
    const ListRequest list(exchange->request(), "flows");
    JsonArray items = make_array();
    for (const auto& instance : list_instances(context)) {
        if (is_flow(context, instance)) items->add(flow_json(context, instance));
    }
    answer_json(exchange, 200, list_json(items, std::nullopt));
}

InstanceView require_flow(const ApiContext& context, const std::string& name) {
    for (const auto& instance : list_instances(context)) {
        if (instance.info.instance == name && is_flow(context, instance)) return instance;
    }
    throw unknown_id("flow");
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    answer_json(exchange, 200,
                flow_json(context, require_flow(context, exchange->params.at("name"))));
}

JsonObject action_json(const Action& action) {
    JsonObject json = make_object();
    json->set("kind", action.kind);
    if (action.message) {
        json->set("text", action.message->text);
        json->set("media", static_cast<int64_t>(action.message->media.size()));
        const auto& from_template = action.message->from_template;
        json->set("template", from_template ? JsonValue(from_template->name) : json_null());
    }
    json->set("data", json_or_empty_object(action.data));
    return json;
}

JsonObject dry_run_json(const DryRun& run) {
    JsonArray steps = make_array();
    for (const DryStep& step : run.steps) {
        JsonArray texts = make_array(), actions = make_array();
        for (const Action& action : step.result.actions) {
            if (action.message && !action.message->text.empty()) texts->add(action.message->text);
            actions->add(action_json(action));
        }
        JsonObject json = make_object();
        json->set("step", step.step);
        json->set("texts", texts);
        json->set("actions", actions);
        steps->add(json);
    }
    JsonObject json = make_object();
    json->set("steps", steps);
    json->set("state", json_or_empty_object(run.state));
    return json;
}

void try_out(const ExchangePtr& exchange, ApiContext& context) {
    const std::string name = exchange->params.at("name");
    require_flow(context, name);
    Fields fields(exchange->request());
    const auto messages = fields.texts("messages", max_messages);
    const std::string stay = fields.text("stay", 64).value_or("");
    if (!messages || messages->empty()) {
        fields.refuse("messages", messages ? "invalid_field" : "missing_field",
                      messages ? "must not be empty" : "is required");
    }
    fields.done();
    const PluginLeasePtr flow = context.plugins ? context.plugins->lease(name) : nullptr;
    if (!flow) throw Problem("channel_unavailable", "The flow is not active.");
    if (!begins_once(exchange, context.store)) return;
    try {
        const DryRun run = dry_run(*flow, *messages, stay, context.now());
        answer_json(exchange, 200, dry_run_json(run));
    } catch (const Error& error) {
        throw Problem("plugin_failed", redact(error.what()));
    }
}

}  // namespace

void add_flow_routes(Router& router, ApiContext& context) {
    router.add({.name = "flows.list",
                .method = "GET",
                .path = "/api/v1/flows",
                .roles = roles::config_readers,
                .about = "Instances that answer by themselves, and the channels they answer on.",
                .query = list_query(),
                .answers = page_of("Flow")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "flows.get",
                .method = "GET",
                .path = "/api/v1/flows/{name}",
                .roles = roles::config_readers,
                .about = "One flow with its steps.",
                .answers = {{.schema = "Flow"}}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
    router.add({.name = "flows.dry_run",
                .method = "POST",
                .path = "/api/v1/flows/{name}/dry-run",
                .body = BodyKind::json,
                .roles = roles::config_readers,
                .about = "What the flow would answer to these messages; stores and sends nothing.",
                .takes = "DryRunWish",
                .answers = {{.schema = "DryRun"}},
                .problems = {"plugin_failed", "channel_unavailable", "plugin_timed_out"}},
               [&](const ExchangePtr& exchange) { try_out(exchange, context); });
}

}  // namespace patchbay
