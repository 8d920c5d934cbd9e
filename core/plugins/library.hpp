// One loaded copy of a plugin's library.
#pragma once
#include <patchbay/abi.h>

#include <filesystem>
#include <memory>
#include <string>

#include "plugins/plugin_file.hpp"

namespace patchbay {

/// A private copy under a name that is never used again: the plugin's own file may be replaced, cut
/// or removed at any time, and the dynamic loader never mistakes a new version for the old one. Not
/// thread-safe: belongs to the control thread.
class Library {
public:
    /// Stages the file's content, opens it and finds the entry. Throws Error(refused).
    Library(const PluginFile& file, const std::filesystem::path& staging);
    /// Leaves a library that is still open mapped for ever: whoever forgot to close it may still be
    /// running its code.
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    const pb_plugin& entry() const { return *entry_; }
    const std::filesystem::path& path() const { return path_; }

    /// Closes it and proves that it is gone; false: something keeps it mapped. No code of it may be
    /// running or called again.
    bool close();

private:
    struct Handle;
    void open(const PluginStamp& stamp);

    std::filesystem::path path_;
    std::unique_ptr<Handle> handle_;
    const pb_plugin* entry_ = nullptr;
};

}  // namespace patchbay
