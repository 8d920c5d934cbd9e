// What Store::backup does.
#pragma once
#include <filesystem>

namespace patchbay {

/// `file` is open elsewhere; see Store::backup.
void make_backup(const std::filesystem::path& file, const std::filesystem::path& copy);

}  // namespace patchbay
