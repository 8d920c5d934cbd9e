#include "app/examples.hpp"

#include <stdexcept>
#include <string>

namespace patchbay {
namespace {

constexpr VerbExamples table[] = {
    {"serve",
     {{{"patchbay serve", "run the hub with config/patchbay.yaml"},
       {"patchbay serve -c /etc/patchbay/patchbay.yaml", "run it with another file"}}}},
    {"demo",
     {{{"patchbay demo", "try the hub in a folder that is gone afterwards"},
       {"patchbay demo --keep", "keep the folder to look at it, or to go on from it"}}}},
    {"config validate",
     {{{"patchbay config validate", "every mistake with its line and column"},
       {"patchbay config validate -c new.yaml --output json", "the same for a program"}}}},
    {"config schema",
     {{{"patchbay config schema > config/schema.json", "for editors that know YAML"},
       {"patchbay config schema -c /etc/patchbay/patchbay.yaml", "with its plugin folders"}}}},
    {"config show",
     {{{"patchbay config show", "the file with its defaults and variables, secrets as ***"},
       {"patchbay config show -c /etc/patchbay/patchbay.yaml", "what a server was started with"}}}},
    {"config reload",
     {{{"patchbay config reload --dry-run", "what would start, stop and change"},
       {"patchbay config reload", "let the running server follow the file"}}}},
    {"config rollback",
     {{{"patchbay config rollback", "back to the revision before"},
       {"patchbay config rollback 12", "back to revision 12"}}}},
    {"db migrate",
     {{{"patchbay db migrate", "bring the schema up to date before the first start"},
       {"patchbay db migrate -c /etc/patchbay/patchbay.yaml", "after an upgrade"}}}},
    {"db audit",
     {{{"patchbay db audit",
        "the number of records and the hash of the last, to be kept elsewhere"},
       {"patchbay db audit --output json", "the same for a program"}}}},
    {"user add",
     {{{"patchbay user add --email ann@example.org --name Ann --role owner",
        "print a link with which Ann sets her password"},
       {"patchbay user add --email bo@example.org --name Bo --role agent --department Reception "
        "--password-stdin < secret.txt",
        "with a password, and in one department"}}}},
    {"user list",
     {{{"patchbay user list", "everybody who may sign in"},
       {"patchbay user list --output json", "the same for a program"}}}},
    {"token",
     {{{"patchbay token --email ann@example.org", "a token for curl"},
       {"patchbay token --email ann@example.org --ttl 1h", "one that ends in an hour"}}}},
    {"plugin list",
     {{{"patchbay plugin list", "what is loaded, and why something is not"},
       {"patchbay plugin list --output json", "the same for a program"}}}},
    {"plugin describe",
     {{{"patchbay plugin describe sms", "routes, limits and state of the instance \"sms\""},
       {"patchbay plugin describe replies", "the same of a flow"}}}},
    {"plugin new",
     {{{"patchbay plugin new acme_sms --kind channel", "a channel in the folder acme_sms"},
       {"patchbay plugin new greeter --kind flow --folder plugins/greeter",
        "a flow in another folder"}}}},
    {"plugin enable",
     {{{"patchbay plugin enable sms", "send and route what was kept meanwhile"},
       {"patchbay plugin enable sms --output json", "the same for a program"}}}},
    {"plugin disable",
     {{{"patchbay plugin disable sms", "keep what comes for it until it is enabled again"},
       {"patchbay plugin disable replies", "no more answers of a flow"}}}},
    {"plugin reload",
     {{{"patchbay plugin reload sms", "after its library was replaced on the disk"},
       {"patchbay plugin reload sms --back", "the new one is worse: the one before runs again"}}}},
    {"plugin check",
     {{{"patchbay plugin check build/plugins/acme_sms.so --folder .",
        "every check, with the plugin.yaml and sample.yaml of this folder"},
       {"patchbay plugin check acme_sms.so --test webhook_fuzz --seed 7",
        "one of them again, as it failed, for a debugger"}}}},
    {"send",
     {{{"patchbay send --channel sms --to +15558675310 --text \"Your room is ready.\"",
        "queue a message and print its id"},
       {"patchbay send --channel sms --to +15558675310 --text Hello --follow",
        "and print each status until the last"}}}},
    {"trigger",
     {{{"patchbay trigger sms.message --from +15558675310 --text \"opening hours?\"",
        "a customer writes a text message"},
       {"patchbay trigger sms.status --form MessageSid=SM1 --form MessageStatus=delivered",
        "the provider reports a delivery"}}}},
    {"events list",
     {{{"patchbay events list --since 1h", "what came in during the last hour"},
       {"patchbay events list --state dead", "what could not be understood"}}}},
    {"events replay",
     {{{"patchbay events replay --instance sms --since 2h",
        "what the plugin could not read two hours ago, and can now"},
       {"patchbay events replay --resume 0193a1c4-7b1e-7cc0-8e0f-3a5e8c1d2b4f",
        "go on with what was stopped"}}}},
    {"deliveries list",
     {{{"patchbay deliveries list --since 1h", "what went out during the last hour"},
       {"patchbay deliveries list --state unknown --channel sms",
        "sends whose outcome nobody knows yet"}}}},
    {"failpoints",
     {{{"patchbay failpoints", "the names, one to a line"},
       {"patchbay failpoints --output json", "the same for a test"}}}},
    {"completions",
     {{{"patchbay completions bash > /etc/bash_completion.d/patchbay", "for every user of bash"},
       {"patchbay completions fish > ~/.config/fish/completions/patchbay.fish", "for fish"}}}},
    {"man",
     {{{"patchbay man > /usr/local/share/man/man1/patchbay.1", "install the manual page"},
       {"patchbay man | man -l -", "read it once"}}}},
};

std::string footer(const VerbExamples& verb) {
    std::string text = "Examples:";
    for (const Example& example : verb.examples) {
        text += "\n  ";
        text += example.command;
        text += "\n      ";
        text += example.does;
    }
    return text;
}

CLI::App* find_verb(CLI::App& app, std::string_view path) {
    const size_t space = path.find(' ');
    const auto found = app.get_subcommands(
        [&](CLI::App* verb) { return verb->get_name() == path.substr(0, space); });
    if (found.empty()) return nullptr;
    return space == std::string_view::npos ? found.front()
                                           : find_verb(*found.front(), path.substr(space + 1));
}

}  // namespace

std::span<const VerbExamples> verb_examples() { return table; }

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* verb) { return !verb->get_name().empty(); });
}

void walk_verbs(const CLI::App& app,
                const std::function<void(const std::string&, const CLI::App&)>& visit) {
    const std::function<void(const std::string&, const CLI::App&)> walk =
        [&](const std::string& above, const CLI::App& parent) {
            for (const CLI::App* verb : verbs_of(parent)) {
                const std::string path = above + verb->get_name();
                visit(path, *verb);
                walk(path + " ", *verb);
            }
        };
    walk("", app);
}

void add_examples(CLI::App& app) {
    for (const VerbExamples& entry : table) {
        CLI::App* verb = find_verb(app, entry.verb);
        if (!verb)
            throw std::logic_error("examples of a verb that is not there: " +
                                   std::string(entry.verb));
        verb->footer(footer(entry));
    }
    walk_verbs(app, [](const std::string& path, const CLI::App& verb) {
        if (verbs_of(verb).empty() && verb.get_footer().empty()) {
            throw std::logic_error("the verb has no examples: " + path);
        }
    });
}

}  // namespace patchbay
