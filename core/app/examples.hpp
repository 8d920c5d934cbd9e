// Two examples for each verb: --help, the man page and their test read this one table.
#pragma once
#include <CLI/CLI.hpp>
#include <array>
#include <functional>
#include <span>
#include <string_view>

namespace patchbay {

struct Example {
    std::string_view command, does;
};

struct VerbExamples {
    std::string_view verb;  ///< "user add"
    std::array<Example, 2> examples;
};

std::span<const VerbExamples> verb_examples();

/// Puts the examples below the help of every verb that does something. Throws std::logic_error for
/// a verb without examples, and for examples without a verb.
void add_examples(CLI::App& app);

/// Every verb below `app`, groups included, with its words: "user", "user add".
void walk_verbs(const CLI::App& app,
                const std::function<void(const std::string& path, const CLI::App& verb)>& visit);

/// The verbs that `app` has directly, those without a name left out.
std::vector<const CLI::App*> verbs_of(const CLI::App& app);

}  // namespace patchbay
