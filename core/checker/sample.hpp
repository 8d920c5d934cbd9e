// The configuration that a plugin is checked with.
#pragma once
#include <filesystem>
#include <string>

#include "config/hub_config.hpp"

namespace patchbay::checker {

/// The first instance of that plugin in a configuration file such as sample.yaml. A variable of the
/// environment that the file asks for and nobody has set gets a text that says so. Throws
/// ConfigError for mistakes in the file, Error(config) when it has no such instance.
InstanceConfig sample_instance(const std::filesystem::path& file, const std::string& plugin);

}  // namespace patchbay::checker
