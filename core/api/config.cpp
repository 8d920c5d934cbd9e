// GET /api/v1/config; POST /api/v1/config/check
#include "api/answers.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "plugins/config_check.hpp"

namespace patchbay {
namespace {

constexpr size_t max_file_bytes = 1 << 20;

/// Of the configuration that runs: it began with the process.
constexpr int64_t revision = 1;

/// Files are called by their name alone: where they lie is the machine's own business.
std::string file_name(const ApiContext& context) { return context.config.file.filename().string(); }

void show(const ExchangePtr& exchange, ApiContext& context) {
    HubConfig config = context.config;
    hide_plugin_secrets(config);
    JsonObject json = make_object();
    json->set("file", file_name(context));
    json->set("revision", revision);
    json->set("yaml", show_config(config));
    answer_json(exchange, 200, json);
}

JsonObject check_json(const ApiContext& context, const CheckedFile& checked) {
    JsonArray problems = make_array();
    for (const ConfigProblem& problem : checked.problems) {
        JsonObject json = make_object();
        json->set("file", file_name(context));
        json->set("line", problem.line);
        json->set("column", problem.column);
        json->set("path", problem.path);
        json->set("severity", problem.is_warning ? "warning" : "error");
        json->set("message", problem.message);
        problems->add(json);
    }
    JsonObject json = make_object();
    json->set("valid", checked.is_valid());
    json->set("revision", revision);
    json->set("problems", problems);
    json->set("plan", make_array());
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
    const std::filesystem::path& file = context.config.file;
    const auto text = given_text(exchange->request(), file_name(context));
    if (!begins_once(exchange, context.store)) return;
    const CheckedFile checked =
        text ? check_text(*text, file, &context.config.plugin_path) : check_file(file.string());
    answer_json(exchange, 200, check_json(context, checked));
}

}  // namespace

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
                .answers = {{.schema = "ConfigCheck"}}},
               [&](const ExchangePtr& exchange) { check(exchange, context); });
}

}  // namespace patchbay
