// An instance's configuration against the schema its plugin described: known keys, required keys,
// types and ranges.
#pragma once
#include <patchbay/detail/schema.hpp>
#include <patchbay/values.hpp>
#include <string>
#include <vector>

#include "config/hub_config.hpp"

namespace patchbay {

/// Pure. Problems in the order of the file.
std::vector<ConfigProblem> check_against_schema(const detail::Schema& schema,
                                                const InstanceConfig& instance,
                                                const std::string& file);

/// The plugin's own findings (key -> text) as problems with their position; keys in `known` are
/// left out.
std::vector<ConfigProblem> problems_of_plugin(const Labels& found, const InstanceConfig& instance,
                                              const std::string& file,
                                              const std::vector<ConfigProblem>& known);

/// Values of all keys that the schema calls secrets, by flattened key.
Labels secrets_of(const detail::Schema& schema, const InstanceConfig& instance);

}  // namespace patchbay
