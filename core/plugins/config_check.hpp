// A configuration file with all that is wrong with it: the hub's own keys and each plugin's block.
#pragma once
#include <map>
#include <patchbay/detail/schema.hpp>
#include <string>
#include <vector>

#include "config/hub_config.hpp"

namespace patchbay {

struct CheckedFile {
    HubConfig config;
    std::vector<ConfigProblem> problems;  ///< In the order of the file, warnings among them.

    bool is_valid() const;  ///< Nothing but warnings.
};

/// Loads each plugin for its schema and lets it look at its block; creates no instance. Throws
/// nothing for what is in the file: also that it cannot be read is a problem.
CheckedFile check_file(const std::string& file);

/// The same for a text, as if `file` held it. With `folders` the plugins are those in there,
/// whatever the text says: for texts that others sent, since loading a library runs its code.
CheckedFile check_text(const std::string& text, const std::filesystem::path& file,
                       const std::vector<std::filesystem::path>* folders = nullptr);

/// The schema of each plugin in the configuration's plugin folders. One that cannot be loaded is
/// left out.
std::map<std::string, detail::Schema> plugin_schemas(const HubConfig& config);

/// Lets show_config() hide what the plugins call secrets, whatever its key is called. A plugin that
/// cannot be loaded has its secrets found by their names alone.
void hide_plugin_secrets(HubConfig& config);

}  // namespace patchbay
