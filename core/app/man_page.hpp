// The manual page patchbay(1), made from the verbs themselves.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace patchbay {

/// roff with the man macros, as man(1) reads it.
std::string man_page(const CLI::App& app);

}  // namespace patchbay
