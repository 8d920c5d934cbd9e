// patchbay plugin list | describe | enable | disable | reload; check and new have files of their
// own
#include <ostream>

#include "app/hub_link.hpp"
#include "app/table.hpp"
#include "app/verbs.hpp"

namespace patchbay {
namespace {

int list(const Invocation& run) {
    const auto hub = open_hub(run.config());
    const JsonObject plugins = hub->get("/api/v1/plugins");
    if (run.json()) {
        print_json(run.streams.out, plugins);
        return exit_code::done;
    }
    Table table({"INSTANCE", "PLUGIN", "VERSION", "STATE", "ISOLATION", "ERROR"});
    for (const auto& plugin : *plugins->getArray("items")) {
        const auto text = [&](const char* key) { return text_at(plugin, key).value_or(""); };
        table.add({text("instance"), text("plugin"), text("version"), text("state"),
                   text("isolation"), text("last_error")});
    }
    table.print(run.streams.out);
    if (!hub->server_runs()) run.streams.err << "no server runs: this is the configuration\n";
    return exit_code::done;
}

int describe(const Invocation& run, const std::string& instance) {
    print_json(run.streams.out, open_hub(run.config())->get("/api/v1/plugins/" + instance));
    return exit_code::done;
}

int change(const Invocation& run, const std::string& instance, const std::string& action,
           bool back) {
    JsonObject wish = make_object();
    if (back) wish->set("back", true);
    const JsonObject plugin =
        open_server(run.config())
            ->post("/api/v1/plugins/" + instance + "/" + action, back ? wish : nullptr);
    if (run.json()) {
        print_json(run.streams.out, plugin);
        return exit_code::done;
    }
    const auto text = [&](const char* key) { return text_at(plugin, key).value_or(""); };
    run.streams.out << printable(instance) << " is " << text("state") << ": "
                    << printable(text("plugin")) << " " << printable(text("version"))
                    << ", generation " << text("generation") << '\n';
    return exit_code::done;
}

CLI::App* add_change(CLI::App& plugin, Invocation& run, const std::string& action,
                     const std::string& about, const std::shared_ptr<bool>& back) {
    CLI::App* verb = plugin.add_subcommand(action, about);
    const auto instance = std::make_shared<std::string>();
    verb->add_option("instance", *instance, "Its name in the configuration")->required();
    verb->callback([&run, instance, action, back] {
        run.verb = [&run, instance, action, back] { return change(run, *instance, action, *back); };
    });
    return verb;
}

}  // namespace

void add_plugin_verbs(CLI::App& app, Invocation& run) {
    CLI::App* plugin = app.add_subcommand("plugin", "Plugins and their instances");
    plugin->require_subcommand(1);
    plugin->add_subcommand("list", "What is loaded, and why something is not")->callback([&run] {
        run.verb = [&run] { return list(run); };
    });
    CLI::App* verb = plugin->add_subcommand("describe", "One instance");
    const auto instance = std::make_shared<std::string>();
    verb->add_option("instance", *instance, "Its name in the configuration")->required();
    verb->callback(
        [&run, instance] { run.verb = [&run, instance] { return describe(run, *instance); }; });
    add_plugin_new_verb(*plugin, run);
    const auto back = std::make_shared<bool>(false);
    add_change(*plugin, run, "enable", "Let it run again; what was kept for it goes on", back);
    add_change(*plugin, run, "disable", "Stop it; its webhooks and sends are kept", back);
    add_change(*plugin, run, "reload", "A fresh copy of its library takes over", back)
        ->add_flag("--back", *back, "The file that ran before takes over again");
    add_plugin_check_verb(*plugin, run);
}

}  // namespace patchbay
