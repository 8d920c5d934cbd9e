// The command line: one file per verb, all of them added here.
#pragma once
#include <iosfwd>

namespace patchbay {

/// What the verbs read and write; tests give their own.
struct CommandStreams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
};

/// Parses, runs the verb and returns the exit code: 0 done, 1 failed, 2 usage, 3 refused, 4 not
/// found, 5 unavailable. Never throws.
int run_command_line(int argc, char** argv);
int run_command_line(int argc, char** argv, const CommandStreams& streams);

}  // namespace patchbay
