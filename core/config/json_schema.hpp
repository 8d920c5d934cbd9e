// The configuration as JSON Schema (draft-07), for editors: what the reader knows of its keys, and
// what each plugin says of its own.
#pragma once
#include <map>
#include <patchbay/detail/schema.hpp>
#include <string>

#include "base/json.hpp"

namespace patchbay {

/// The hub's own keys, as the reader asks for them; an instance's are below "plugins.any.".
detail::Schema hub_schema();

/// Of one plugin's own block.
JsonObject block_schema(const detail::Schema& plugin);

/// `plugins`: the schema of each plugin that may be used, by its name.
JsonObject json_schema(const std::map<std::string, detail::Schema>& plugins);

}  // namespace patchbay
