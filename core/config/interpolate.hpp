// ${env:NAME}, ${env:NAME:-default}, ${file:path} and $$ in values of the configuration.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

struct Interpolated {
    std::string text;
    std::string shown;  ///< The text with *** for what came from a file or a secret's
                        ///< variable.
    std::vector<std::string> secrets;    ///< What *** stands for in it.
    std::string problem;                 ///< Empty when fine; never contains a value.
    std::string_view code;               ///< Of the problem.
    size_t problem_offset = 0;           ///< The byte of the written text where its $ stands.
    std::filesystem::path missing_file;  ///< The file of the last ${file:} that does not exist.
    bool changed = false;                ///< Something was put in.
};

/// Relative paths are relative to `base`. A file loses its last line end; one that everybody may
/// read is refused (S80). At most 64 KiB.
Interpolated interpolate(std::string_view text, const std::filesystem::path& base);

}  // namespace patchbay
