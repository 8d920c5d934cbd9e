// What a shell offers when Tab is pressed, made from the verbs themselves.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace patchbay {

/// A script for `bash`, `zsh` or `fish`. Throws std::invalid_argument for another shell.
std::string completions(const CLI::App& app, const std::string& shell);

}  // namespace patchbay
