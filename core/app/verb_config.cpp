// patchbay config validate | show | schema | reload | rollback
#include "app/hub_link.hpp"
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

/// The server whose configuration this is. Also of a file with mistakes: the server tells them.
std::unique_ptr<HubLink> server_of(const Invocation& run) {
    return open_server(check_config(read_config_file(run.config_file), run.config_file).config);
}

void print_plan(std::ostream& out, const JsonObject& answer) {
    Table table({"INSTANCE", "ACTION", "CHANGED"});
    size_t same = 0;
    for (const auto& change : *answer->getArray("plan")) {
        const std::string action = text_at(change, "action").value_or("");
        if (action == "none") {
            ++same;
            continue;
        }
        std::string changed;
        for (const auto& key : *change.extract<JsonObject>()->getArray("changed"))
            changed += (changed.empty() ? "" : " ") + key.toString();
        table.add({text_at(change, "instance").value_or("(hub)"), action, changed});
    }
    if (answer->getArray("plan")->size() > same) table.print(out);
    if (same > 0)
        out << same << (same == 1 ? " instance stays" : " instances stay") << " as it is\n";
}

/// As the server found them, with this machine's name of the file.
void print_problems_of(const Invocation& run, const JsonObject& answer) {
    for (const auto& problem : *answer->getArray("problems")) {
        const auto text = [&](const char* key) { return text_at(problem, key).value_or(""); };
        run.streams.err << printable(run.config_file) << ':' << text("line") << ':'
                        << text("column") << ": " << printable(text("path")) << ": "
                        << (text("severity") == "warning" ? "warning: " : "")
                        << printable(text("message")) << '\n';
    }
}

int print_reload(const Invocation& run, const Response& response) {
    const JsonObject answer = parse_json_object(std::string_view(response.body));
    if (run.json()) {
        print_json(run.streams.out, answer);
        return exit_of(response.status);
    }
    if (response.ok()) {
        print_plan(run.streams.out, answer);
        run.streams.out << "revision " << int_at(answer, "revision").value_or(0) << " runs\n";
        return exit_code::done;
    }
    if (answer->has("problems")) print_problems_of(run, answer);
    run.streams.err << printable(text_at(answer, "detail").value_or("refused")) << " ("
                    << text_at(answer, "code").value_or("") << ")\n";
    if (const auto revision = int_at(answer, "revision"))
        run.streams.err << "revision " << *revision << " serves on\n";
    return exit_of(response.status);
}

int reload(const Invocation& run) {
    return print_reload(run, server_of(run)->try_post("/api/v1/config/reload", make_object()));
}

int show_plan(const Invocation& run) {
    const JsonObject answer = server_of(run)->post("/api/v1/config/check", make_object());
    const bool is_valid = text_at(answer, "valid") == "true";
    if (run.json()) {
        print_json(run.streams.out, answer);
    } else {
        print_problems_of(run, answer);
        if (is_valid) print_plan(run.streams.out, answer);
    }
    return is_valid ? exit_code::done : exit_code::failed;
}

/// To the revision before, when none is named.
int roll_back(const Invocation& run, int64_t revision) {
    const auto server = server_of(run);
    if (revision == 0) revision = int_at(server->get("/api/v1/config"), "revision").value_or(0) - 1;
    JsonObject wish = make_object();
    wish->set("revision", revision);
    const int code = print_reload(run, server->try_post("/api/v1/config/reload", wish));
    if (code == exit_code::done)
        run.streams.err << printable(run.config_file) << " is as it was: mend it before the next "
                        << "reload or start, which go by it\n";
    return code;
}

}  // namespace

void add_config_verbs(CLI::App& app, Invocation& run) {
    CLI::App* config = app.add_subcommand("config", "Check, show and reload the configuration");
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
    CLI::App* apply = config->add_subcommand(
        "reload", "Let the running server follow the file: all of it, or nothing on a mistake");
    const auto dry_run = std::make_shared<bool>(false);
    apply->add_flag("--dry-run", *dry_run, "Only print what would start, stop and change");
    apply->callback([&run, dry_run] {
        run.verb = [&run, dry_run] { return *dry_run ? show_plan(run) : reload(run); };
    });
    CLI::App* back = config->add_subcommand(
        "rollback", "Let the running server go back to an earlier revision; the file stays");
    const auto revision = std::make_shared<int64_t>(0);
    back->add_option("revision", *revision, "Its number; without one, the revision before")
        ->check(CLI::PositiveNumber);
    back->callback(
        [&run, revision] { run.verb = [&run, revision] { return roll_back(run, *revision); }; });
}

}  // namespace patchbay
