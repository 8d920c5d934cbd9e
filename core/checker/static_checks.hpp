// K01 to K14: what the file says before any of its code runs.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "checker/check_table.hpp"
#include "plugins/plugin_file.hpp"

namespace patchbay::checker {

struct StaticFindings {
    std::map<std::string_view, Verdict> verdicts;  ///< By id, all of them.
    std::optional<PluginFile> file;                ///< Unless its stamp cannot be read.
};

/// `plugin_yaml` empty: there is none. Throws Error(not_found): no such library.
StaticFindings run_static_checks(const std::filesystem::path& library,
                                 const std::filesystem::path& plugin_yaml);

}  // namespace patchbay::checker
