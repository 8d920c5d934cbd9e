// patchbay serve
#include "app/serve.hpp"
#include "app/verbs.hpp"

namespace patchbay {

void add_serve_verb(CLI::App& app, Invocation& run) {
    app.add_subcommand("serve", "Run the hub")->callback([&run] {
        run.verb = [&run] { return serve(run.config()); };
    });
}

}  // namespace patchbay
