// plugin.yaml: what people and packages read about a plugin. The loader trusts the stamp.
#pragma once
#include <filesystem>

#include "checker/check_table.hpp"
#include "plugins/plugin_file.hpp"

namespace patchbay::checker {

/// K14. Skipped when `file` is empty.
Verdict check_manifest(const std::filesystem::path& file, const PluginStamp& stamp);

}  // namespace patchbay::checker
