// A folder of this process's own for copies of libraries.
#pragma once
#include <filesystem>

namespace patchbay {

/// Made in the system's folder for such things, with all that is in it gone afterwards.
class ScratchFolder {
public:
    /// Throws Error(unavailable).
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace patchbay
