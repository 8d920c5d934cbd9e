// Files of the source tree as they were when this binary was built: schemas, the viewer of /docs,
// the pages of error codes.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

namespace patchbay {

struct EmbeddedFile {
    std::string_view name;  ///< Folder and file: "schemas/messages.json", "errors/busy.md".
    std::string_view text;
};

/// Sorted by name within a folder. [any thread]
const std::vector<EmbeddedFile>& embedded_files();

/// Its text; nullopt when there is no such file. [any thread]
std::optional<std::string_view> find_embedded(std::string_view name);

}  // namespace patchbay
