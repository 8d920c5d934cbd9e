// patchbay completions | man
#include <ostream>

#include "app/completions.hpp"
#include "app/man_page.hpp"
#include "app/verbs.hpp"

namespace patchbay {

void add_manual_verbs(CLI::App& app, Invocation& run) {
    CLI::App* verb =
        app.add_subcommand("completions", "Print what a shell needs to complete verbs and options");
    const auto shell = std::make_shared<std::string>();
    verb->add_option("shell", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    verb->callback([&app, &run, shell] {
        run.verb = [&app, &run, shell] {
            run.streams.out << completions(app, *shell);
            return exit_code::done;
        };
    });
    app.add_subcommand("man", "Print the manual page")->callback([&app, &run] {
        run.verb = [&app, &run] {
            run.streams.out << man_page(app);
            return exit_code::done;
        };
    });
}

}  // namespace patchbay
