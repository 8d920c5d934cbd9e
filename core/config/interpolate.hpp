// ${env:NAME}, ${env:NAME:-default}, ${file:path} and $$ in values of the configuration.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace patchbay {

struct Interpolated {
    std::string text;
    std::string problem;                 ///< Empty when fine; never contains a value.
    std::filesystem::path missing_file;  ///< The file of the last ${file:} that does not exist.
    bool changed = false;                ///< Something was put in.
};

/// Relative paths are relative to `base`. A file loses its last line end. In production a file that
/// everybody may read is refused (S80).
Interpolated interpolate(std::string_view text, const std::filesystem::path& base, bool production);

}  // namespace patchbay
