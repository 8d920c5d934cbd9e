// The private copy of a plugin's file that is loaded in its place.
#pragma once
#include <filesystem>

#include "plugins/plugin_file.hpp"

namespace patchbay {

/// A file under a name that is never used again: the plugin's own file may be replaced, cut or
/// removed at any time, and the dynamic loader never mistakes a new version for the old one.
class StagedCopy {
public:
    /// Throws Error(refused).
    StagedCopy(const PluginFile& file, const std::filesystem::path& staging);
    StagedCopy(const StagedCopy&) = delete;
    StagedCopy& operator=(const StagedCopy&) = delete;

    const std::filesystem::path& path() const { return path_; }  ///< Absolute.
    /// Not by the destructor: a library that stays mapped keeps its file.
    void remove();

private:
    std::filesystem::path path_;
};

}  // namespace patchbay
