// Mistakes of a configuration as an operator reads them.
#pragma once
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"

namespace patchbay {

/// One line for each; with the file's text also the line of the file and a mark below the place.
/// Secrets in such a line are hidden.
void print_problems(std::ostream& out, const std::vector<ConfigProblem>& problems,
                    std::string_view text = {});

/// The same with the files' own texts, where a person reads: `stream` is standard error and a
/// terminal.
void print_problems_to_person(std::ostream& stream, const std::vector<ConfigProblem>& problems);

/// Whether `stream` is standard error and that is a terminal.
bool is_terminal(const std::ostream& stream);

}  // namespace patchbay
