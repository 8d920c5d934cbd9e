// patchbay config validate | show
#include <unistd.h>

#include <filesystem>
#include <patchbay/detail/methods.hpp>

#include "app/table.hpp"
#include "app/verbs.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {
namespace {

/// Where the checks put copies of plugin libraries; gone afterwards.
class ScratchFolder {
public:
    ScratchFolder()
        : path_(std::filesystem::temp_directory_path() /
                ("patchbay-check-" + std::to_string(getpid()))) {
        std::filesystem::create_directories(path_);
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// Every service there is: whether this hub has what a plugin needs is no question of the
/// configuration.
HostServices all_services() {
    HostServices services;
    for (const auto& entry : method::all) {
        services.register_method(
            entry.interface_id, entry.number,
            [](const ServiceCaller&, std::string_view) { return std::string(); });
    }
    return services;
}

/// What each plugin has against its own block.
std::vector<ConfigProblem> plugin_problems(const HubConfig& config, const std::string& file) {
    const ScratchFolder scratch;
    HostServices services = all_services();
    const PluginHost host(config, services, scratch.path());
    std::vector<ConfigProblem> problems;
    for (const auto& instance : config.plugins) {
        try {
            for (ConfigProblem& problem : host.check(instance)) {
                problem.file = file;
                problems.push_back(std::move(problem));
            }
        } catch (const Error& error) {
            const Position at = instance.positions.at("");
            problems.push_back(
                {file, at.line, at.column, "plugins." + instance.name + ".plugin", error.what()});
        }
    }
    return problems;
}

std::vector<ConfigProblem> all_problems(const std::string& file) {
    try {
        return plugin_problems(load_config(file), file);
    } catch (const ConfigError& error) {
        return error.problems;
    }
}

JsonObject check_json(const std::vector<ConfigProblem>& problems) {
    JsonArray list = make_array();
    for (const auto& problem : problems) {
        JsonObject json = make_object();
        json->set("file", problem.file);
        json->set("line", problem.line);
        json->set("column", problem.column);
        json->set("path", problem.path);
        json->set("severity", "error");
        json->set("message", problem.message);
        list->add(json);
    }
    JsonObject check = make_object();
    check->set("valid", problems.empty());
    check->set("problems", list);
    return check;
}

int validate(const Invocation& run) {
    const auto problems = all_problems(run.config_file);
    if (run.json()) {
        print_json(run.streams.out, check_json(problems));
    } else {
        for (const auto& problem : problems) run.streams.err << problem.text() << '\n';
        if (problems.empty()) run.streams.out << run.config_file << ": no mistakes\n";
    }
    return problems.empty() ? exit_code::done : exit_code::failed;
}

int show(const Invocation& run) {
    const std::string text = show_config(run.config());
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

}  // namespace

void add_config_verbs(CLI::App& app, Invocation& run) {
    CLI::App* config = app.add_subcommand("config", "Check and show the configuration");
    config->require_subcommand(1);
    config->add_subcommand("validate", "Every mistake of the file at once")->callback([&run] {
        run.verb = [&run] { return validate(run); };
    });
    config->add_subcommand("show", "The file as the hub reads it, secrets as ***")
        ->callback([&run] { run.verb = [&run] { return show(run); }; });
}

}  // namespace patchbay
