// patchbay config validate | show | schema
#include "app/problem_text.hpp"
#include "app/table.hpp"
#include "app/verbs.hpp"
#include "config/json_schema.hpp"
#include "config/yaml_tree.hpp"
#include "plugins/config_check.hpp"

namespace patchbay {
namespace {

JsonObject check_json(const CheckedFile& checked) {
    JsonArray list = make_array();
    for (const auto& problem : checked.problems) {
        JsonObject json = make_object();
        json->set("file", problem.file);
        json->set("line", problem.line);
        json->set("column", problem.column);
        json->set("path", problem.path);
        json->set("severity", problem.is_warning ? "warning" : "error");
        json->set("code", problem.code);
        json->set("message", problem.message);
        json->set("hint", problem.hint);
        list->add(json);
    }
    JsonObject check = make_object();
    check->set("valid", checked.is_valid());
    check->set("problems", list);
    return check;
}

std::string context_of(const Invocation& run, const std::string& context) {
    const bool wanted = context == "always" || (context == "auto" && is_terminal(run.streams.err));
    return wanted ? read_config_file(run.config_file) : "";
}

void print_for_people(const Invocation& run, const CheckedFile& checked,
                      const std::string& context) {
    const bool has_place = !checked.problems.empty() && checked.problems.front().line > 0;
    print_problems(run.streams.err, checked.problems, has_place ? context_of(run, context) : "");
    const auto mistakes = std::count_if(checked.problems.begin(), checked.problems.end(),
                                        [](const ConfigProblem& one) { return !one.is_warning; });
    if (mistakes == 0) run.streams.out << printable(run.config_file) << ": no mistakes\n";
}

int validate(const Invocation& run, const std::string& context) {
    const CheckedFile checked = check_file(run.config_file);
    if (run.json()) {
        print_json(run.streams.out, check_json(checked));
    } else {
        print_for_people(run, checked, context);
    }
    return checked.is_valid() ? exit_code::done : exit_code::failed;
}

int show(const Invocation& run) {
    HubConfig config = run.config();
    hide_plugin_secrets(config);
    const std::string text = show_config(config);
    if (run.json()) {
        JsonObject json = make_object();
        json->set("file", run.config_file);
        json->set("yaml", text);
        print_json(run.streams.out, json);
    } else {
        run.streams.out << text;
    }
    return exit_code::done;
}

/// Also of a file with mistakes: the one who writes it needs the schema most.
int schema(const Invocation& run) {
    const HubConfig config =
        check_config(read_config_file(run.config_file), run.config_file).config;
    print_json(run.streams.out, json_schema(plugin_schemas(config)));
    return exit_code::done;
}

}  // namespace

void add_config_verbs(CLI::App& app, Invocation& run) {
    CLI::App* config = app.add_subcommand("config", "Check and show the configuration");
    config->require_subcommand(1);
    CLI::App* check = config->add_subcommand("validate", "Every mistake of the file at once");
    const auto context = std::make_shared<std::string>("auto");
    check
        ->add_option("--context", *context,
                     "Show each line of the file with a mark: auto (on a terminal), always, never")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str();
    check->callback(
        [&run, context] { run.verb = [&run, context] { return validate(run, *context); }; });
    config->add_subcommand("show", "The file as the hub reads it, secrets as ***")
        ->callback([&run] { run.verb = [&run] { return show(run); }; });
    config
        ->add_subcommand("schema",
                         "JSON Schema of the file and of each plugin's block, for editors")
        ->callback([&run] { run.verb = [&run] { return schema(run); }; });
}

}  // namespace patchbay
