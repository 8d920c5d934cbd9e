// One loaded copy of a plugin's library.
#pragma once
#include <memory>

#include "plugins/plugin_file.hpp"
#include "plugins/shared_object.hpp"
#include "plugins/staged_copy.hpp"

namespace patchbay {

/// A private copy, opened in this process. Not thread-safe: belongs to the control thread.
class Library {
public:
    /// Stages the file's content, opens it and finds the entry. Throws Error(refused).
    Library(const PluginFile& file, const std::filesystem::path& staging);
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    const pb_plugin& entry() const { return opened_->entry(); }
    const std::filesystem::path& path() const { return copy_.path(); }

    /// Closes it and proves that it is gone; false: something keeps it mapped. No code of it may be
    /// running or called again. One that is never closed stays mapped for ever.
    bool close();

private:
    StagedCopy copy_;
    std::unique_ptr<SharedObject> opened_;
};

}  // namespace patchbay
