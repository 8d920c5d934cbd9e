#include "plugins/scratch_folder.hpp"

#include <stdlib.h>

#include <patchbay/errors.hpp>

namespace patchbay {

ScratchFolder::ScratchFolder() {
    const std::filesystem::path parent = std::filesystem::temp_directory_path();
    std::string name = parent / "patchbay-check-XXXXXX";
    if (!::mkdtemp(name.data()))
        throw Error(ErrorKind::unavailable, "no folder can be made in " + parent.string());
    path_ = name;
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace patchbay
