// Options that lists share.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace patchbay {

struct ListOptions {
    std::string since, state, channel, limit = "50";

    void add_to(CLI::App& verb, const std::string& states);
    /// `since` as a time: "1h" is an hour ago; a time stays as it is. Throws VerbFailure(usage).
    std::string since_time() const;
};

}  // namespace patchbay
