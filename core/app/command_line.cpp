#include "app/command_line.hpp"

#include <iostream>
#include <patchbay/sdk.hpp>

#include "app/examples.hpp"
#include "app/problem_text.hpp"
#include "app/verbs.hpp"
#include "base/failpoint.hpp"
#include "store/store.hpp"

namespace patchbay {
namespace {

void describe(CLI::App& app, Invocation& run) {
    app.name("patchbay");
    app.set_version_flag("--version", std::string("patchbay ") + PATCHBAY_VERSION);
    app.require_subcommand(1);
    // So that -c and --output may stand before and after the verb.
    app.fallthrough();
    app.add_option("-c,--config", run.config_file, "Configuration file")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_option("--output", run.output, "How to print: table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
    add_serve_verb(app, run);
    add_demo_verb(app, run);
    add_config_verbs(app, run);
    add_db_verbs(app, run);
    add_user_verbs(app, run);
    add_token_verb(app, run);
    add_plugin_verbs(app, run);
    add_send_verb(app, run);
    add_trigger_verb(app, run);
    add_events_verbs(app, run);
    add_deliveries_verbs(app, run);
    add_failpoints_verb(app, run);
    add_manual_verbs(app, run);
    add_examples(app);
}

int code_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::not_found:
            return exit_code::not_found;
        case ErrorKind::refused:
        case ErrorKind::forbidden:
        case ErrorKind::unauthorized:
        case ErrorKind::conflict:
            return exit_code::refused;
        case ErrorKind::unavailable:
        case ErrorKind::timed_out:
        case ErrorKind::stopping:
            return exit_code::unavailable;
        default:
            return exit_code::failed;
    }
}

/// For a ConfigError: every problem, one to a line; on a terminal with the line of the file.
int run_verb(const Invocation& run) {
    std::ostream& err = run.streams.err;
    try {
        Failpoint::arm_from_environment();
        return run.verb();
    } catch (const VerbFailure& failure) {
        err << "patchbay: " << failure.what() << '\n';
        return failure.code;
    } catch (const ConfigError& error) {
        print_problems_to_person(err, error.problems);
    } catch (const StoreError& error) {
        err << "patchbay: " << error.what() << '\n';
        return error.kind == StoreError::Kind::unavailable ? exit_code::unavailable
                                                           : exit_code::failed;
    } catch (const Error& error) {
        err << "patchbay: " << error.what() << '\n';
        return code_of(error);
    } catch (const std::exception& error) {
        err << "patchbay: " << error.what() << '\n';
    }
    return exit_code::failed;
}

}  // namespace

int run_command_line(int argc, char** argv) {
    return run_command_line(argc, argv, {std::cin, std::cout, std::cerr});
}

int run_command_line(int argc, char** argv, const CommandStreams& streams) {
    CLI::App app{"Integration hub for customer messaging"};
    Invocation run{.streams = streams};
    describe(app, run);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error, streams.out, streams.err);
        return code == 0 ? exit_code::done : exit_code::usage;
    }
    return run_verb(run);
}

}  // namespace patchbay
