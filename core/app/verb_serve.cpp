// patchbay serve
#include "app/problem_text.hpp"
#include "app/serve.hpp"
#include "app/verbs.hpp"

namespace patchbay {
namespace {

/// On a terminal with the lines that the mistakes are in.
int serve_or_explain(const Invocation& run) try {
    return serve(run.config());
} catch (const ConfigError& error) {
    print_problems_to_person(run.streams.err, error.problems);
    return exit_code::failed;
}

}  // namespace

void add_serve_verb(CLI::App& app, Invocation& run) {
    app.add_subcommand("serve", "Run the hub")->callback([&run] {
        run.verb = [&run] { return serve_or_explain(run); };
    });
}

}  // namespace patchbay
