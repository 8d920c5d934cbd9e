// GET /api/v1/config; POST /api/v1/config/check, /reload
#include "api/answers.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "base/log.hpp"
#include "plugins/config_check.hpp"

namespace patchbay {
namespace {

constexpr size_t max_file_bytes = 1 << 20;

/// Files are called by their name alone: where they lie is the machine's own business.
std::string file_name(const ApiContext& context) {
    return context.config()->file.filename().string();
}

/// Of the configuration that runs; 0: no server runs.
int64_t revision_of(const ApiContext& context) {
    return context.config_control ? context.config_control->revision() : 0;
}

void show(const ExchangePtr& exchange, ApiContext& context) {
    HubConfig config = *context.config();
    hide_plugin_secrets(config);
    JsonObject json = make_object();
    json->set("file", file_name(context));
    json->set("revision", revision_of(context));
    json->set("yaml", show_config(config));
    answer_json(exchange, 200, json);
}

JsonArray problems_json(const ApiContext& context, const std::vector<ConfigProblem>& all) {
    JsonArray problems = make_array();
    for (const ConfigProblem& problem : all) {
        JsonObject json = make_object();
        json->set("file", file_name(context));
        json->set("line", problem.line);
        json->set("column", problem.column);
        json->set("path", problem.path);
        json->set("severity", problem.is_warning ? "warning" : "error");
        json->set("message", problem.message);
        problems->add(json);
    }
    return problems;
}

JsonObject check_json(const ApiContext& context, const CheckedFile& checked) {
    std::vector<ConfigChange> plan;
    if (context.config_control && checked.is_valid())
        plan = context.config_control->plan(checked.config);
    JsonObject json = make_object();
    json->set("valid", checked.is_valid());
    json->set("revision", revision_of(context));
    json->set("problems", problems_json(context, checked.problems));
    json->set("plan", plan_json(plan));
    return json;
}

/// The text to check instead of the file's; nullopt: what is on the disk.
std::optional<std::string> given_text(const HttpRequest& request, const std::string& name) {
    if (request.body.empty()) return std::nullopt;
    Fields fields(request);
    const JsonObject files = fields.object("files");
    fields.done();
    if (!files) return std::nullopt;
    Fields inside(files, "/files");
    std::string text = inside.required_text(name, max_file_bytes);
    inside.done();
    return text;
}

void check(const ExchangePtr& exchange, ApiContext& context) {
    const ConfigPtr config = context.config();
    const std::filesystem::path& file = config->file;
    const auto text = given_text(exchange->request(), file_name(context));
    if (!begins_once(exchange, context.store)) return;
    const CheckedFile checked =
        text ? check_text(*text, file, &config->plugin_path) : check_file(file.string());
    answer_json(exchange, 200, check_json(context, checked));
}

Problem refusal(const ApiContext& context, const ReloadReport& report) {
    Problem problem(report.code, redact(report.detail));
    problem.with("applied", "false")
        .with("revision", std::to_string(report.revision))
        .with("problems", to_json(problems_json(context, report.problems)))
        .with("plan", to_json(plan_json(report.plan)));
    return problem;
}

void reload(const ExchangePtr& exchange, ApiContext& context) {
    std::optional<int64_t> revision;
    if (!exchange->request().body.empty()) {
        Fields fields(exchange->request());
        revision = fields.number("revision");
        if (revision && *revision < 1)
            fields.refuse("revision", "invalid_field", "must be 1 or more");
        fields.done();
    }
    if (!begins_once(exchange, context.store)) return;
    if (!context.config_control) throw Problem("channel_unavailable", "No server runs.");
    const ReloadReport report =
        context.config_control->reload(revision, audit_of(exchange, "config.reload", "config"));
    if (!report.is_applied()) throw refusal(context, report);
    JsonObject json = make_object();
    json->set("applied", true);
    json->set("revision", report.revision);
    json->set("plan", plan_json(report.plan));
    answer_json(exchange, 200, json);
}

}  // namespace

JsonArray plan_json(const std::vector<ConfigChange>& plan) {
    JsonArray list = make_array();
    for (const ConfigChange& change : plan) {
        JsonObject json = make_object();
        json->set("instance", change.instance.empty() ? json_null() : JsonValue(change.instance));
        json->set("action", change.action);
        json->set("changed", json_texts(change.changed));
        list->add(json);
    }
    return list;
}

void add_config_routes(Router& router, ApiContext& context) {
    router.add({.name = "config.get",
                .method = "GET",
                .path = "/api/v1/config",
                .roles = roles::operators,
                .about = "The configuration that runs, secrets as ***.",
                .answers = {{.schema = "ShownConfig"}}},
               [&](const ExchangePtr& exchange) { show(exchange, context); });
    router.add({.name = "config.check",
                .method = "POST",
                .path = "/api/v1/config/check",
                .body = BodyKind::json,
                .max_body_bytes = 2 * max_file_bytes,
                .roles = roles::operators,
                .about = "Every mistake of the file on the disk, or of the text that is sent.",
                .takes = "ConfigText",
                .body_optional = true,
                .answers = {{.schema = "ConfigCheck"}},
                .problems = {"reload_running"}},
               [&](const ExchangePtr& exchange) { check(exchange, context); });
    router.add({.name = "config.reload",
                .method = "POST",
                .path = "/api/v1/config/reload",
                .body = BodyKind::json,
                .roles = roles::switchers,
                .about = "Applies the file on the disk, or an earlier revision, all or nothing.",
                .takes = "ReloadWish",
                .body_optional = true,
                .answers = {{.schema = "ConfigReload"}},
                .problems = {"config_invalid", "restart_needed", "plugin_failed", "reload_running",
                             "unknown_id", "channel_unavailable"}},
               [&](const ExchangePtr& exchange) { reload(exchange, context); });
}

}  // namespace patchbay
