// What the verbs share, and one function to add each of them.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>
#include <string>

#include "app/command_line.hpp"
#include "config/hub_config.hpp"

namespace patchbay {

namespace exit_code {
inline constexpr int done = 0, failed = 1, usage = 2, refused = 3, not_found = 4, unavailable = 5;
}

/// Ends a verb with a text on stderr.
struct VerbFailure : std::runtime_error {
    VerbFailure(int code_, const std::string& text) : std::runtime_error(text), code(code_) {}
    int code;
};

/// One run of the program.
struct Invocation {
    CommandStreams streams;
    std::string config_file = "config/patchbay.yaml";
    std::string output = "table";
    std::function<int()> verb;  ///< Set by the one that was chosen; runs after parsing.

    bool json() const { return output == "json"; }
    HubConfig config() const { return load_config(config_file); }
};

/// The verbs live as long as `app` and `run`.
void add_serve_verb(CLI::App& app, Invocation& run);
void add_demo_verb(CLI::App& app, Invocation& run);
void add_config_verbs(CLI::App& app, Invocation& run);
void add_db_verbs(CLI::App& app, Invocation& run);
void add_user_verbs(CLI::App& app, Invocation& run);
void add_token_verb(CLI::App& app, Invocation& run);
void add_plugin_verbs(CLI::App& app, Invocation& run);
void add_plugin_new_verb(CLI::App& plugin, Invocation& run);
void add_plugin_check_verb(CLI::App& plugin, Invocation& run);
void add_send_verb(CLI::App& app, Invocation& run);
void add_trigger_verb(CLI::App& app, Invocation& run);
void add_events_verbs(CLI::App& app, Invocation& run);
void add_deliveries_verbs(CLI::App& app, Invocation& run);
void add_failpoints_verb(CLI::App& app, Invocation& run);
void add_manual_verbs(CLI::App& app, Invocation& run);

}  // namespace patchbay
