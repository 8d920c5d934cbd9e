// patchbay token
#include <ostream>
#include <patchbay/text.hpp>

#include "app/hub_link.hpp"
#include "app/table.hpp"
#include "app/verbs.hpp"

namespace patchbay {
namespace {

struct TokenOptions {
    std::string email, ttl;
};

int print_token(const Invocation& run, const TokenOptions& options) {
    JsonObject body = make_object();
    if (!options.ttl.empty()) body->set("ttl", options.ttl);
    const JsonObject made =
        open_hub(run.config())
            ->post("/api/v1/users/" + percent_encode(options.email) + "/token", body);
    if (run.json()) {
        print_json(run.streams.out, made);
    } else {
        run.streams.out << text_at(made, "token").value_or("") << '\n';
    }
    return exit_code::done;
}

}  // namespace

void add_token_verb(CLI::App& app, Invocation& run) {
    CLI::App* verb = app.add_subcommand("token", "Print a bearer token for a user");
    const auto options = std::make_shared<TokenOptions>();
    verb->add_option("--email", options->email, "Whose")->required();
    verb->add_option("--ttl", options->ttl, "How long it lives, such as 12h; 24h at most");
    verb->callback(
        [&run, options] { run.verb = [&run, options] { return print_token(run, *options); }; });
}

}  // namespace patchbay
