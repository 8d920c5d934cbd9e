// patchbay user add | list
#include <iostream>

#include "app/hub_link.hpp"
#include "app/table.hpp"
#include "app/verbs.hpp"

namespace patchbay {
namespace {

struct AddOptions {
    std::string email, name, role;
    std::vector<std::string> departments;
    bool password_stdin = false;
};

JsonArray texts(const std::vector<std::string>& values) {
    JsonArray list = make_array();
    for (const auto& value : values) list->add(value);
    return list;
}

/// Never an argument: those can be read by everybody on the machine (S87).
std::string read_password(std::istream& in) {
    std::string password;
    if (!std::getline(in, password)) {
        throw VerbFailure(exit_code::usage, "no password came on standard input");
    }
    return password;
}

int add(const Invocation& run, const AddOptions& options) {
    JsonObject user = make_object();
    user->set("email", options.email);
    user->set("name", options.name);
    user->set("role", options.role);
    user->set("departments", texts(options.departments));
    if (options.password_stdin) user->set("password", read_password(run.streams.in));
    const JsonObject added = open_hub(run.config())->post("/api/v1/users", user);
    if (run.json()) {
        print_json(run.streams.out, added);
        return exit_code::done;
    }
    run.streams.out << "added " << text_at(added, "email").value_or("") << ' '
                    << text_at(added, "id").value_or("") << '\n';
    if (const auto link = text_at(added, "invite_url")) {
        run.streams.out << "set the password within 30 minutes: " << *link << '\n';
    }
    return exit_code::done;
}

std::string joined(const JsonValue& list) {
    std::string out;
    if (list.type() != typeid(JsonArray)) return out;
    for (const auto& item : *list.extract<JsonArray>()) {
        out += (out.empty() ? "" : ", ") + item.convert<std::string>();
    }
    return out;
}

int list(const Invocation& run) {
    const JsonObject users = open_hub(run.config())->get("/api/v1/users?limit=200");
    if (run.json()) {
        print_json(run.streams.out, users);
        return exit_code::done;
    }
    Table table({"NUMBER", "EMAIL", "NAME", "ROLE", "DEPARTMENTS", "ACTIVE"});
    for (const auto& user : *users->getArray("items")) {
        const auto text = [&](const char* key) { return text_at(user, key).value_or(""); };
        table.add({text("number"), text("email"), text("name"), text("role"),
                   joined(value_at(user, "departments")), text("active")});
    }
    table.print(run.streams.out);
    return exit_code::done;
}

}  // namespace

void add_user_verbs(CLI::App& app, Invocation& run) {
    CLI::App* user = app.add_subcommand("user", "The people who sign in");
    user->require_subcommand(1);
    CLI::App* verb =
        user->add_subcommand("add", "Add a user; without a password a one-time link is printed");
    const auto options = std::make_shared<AddOptions>();
    verb->add_option("--email", options->email, "E-mail address to sign in with")->required();
    verb->add_option("--name", options->name, "Full name")->required();
    verb->add_option("--role", options->role, "owner, admin, expert, agent, viewer or api")
        ->required();
    verb->add_option("--department", options->departments, "A department; may be repeated");
    verb->add_flag("--password-stdin", options->password_stdin,
                   "Read the password from the first line of standard input");
    verb->callback([&run, options] { run.verb = [&run, options] { return add(run, *options); }; });
    user->add_subcommand("list", "Everybody")->callback([&run] {
        run.verb = [&run] { return list(run); };
    });
}

}  // namespace patchbay
