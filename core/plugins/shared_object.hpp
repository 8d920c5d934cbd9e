// A plugin's library, opened from the file where it lies.
#pragma once
#include <patchbay/abi.h>

#include <filesystem>
#include <memory>
#include <string>

namespace patchbay {

/// Needs nothing of the hub: the process that isolates a plugin opens its library with this as
/// well. Not thread-safe.
class SharedObject {
public:
    /// Opens it and finds the entry. Throws Error(refused), also where the entry is another
    /// plugin's than `name`.
    SharedObject(const std::filesystem::path& path, const std::string& name);
    /// Leaves one that is still open mapped for ever: whoever forgot to close it may still be
    /// running its code.
    ~SharedObject();
    SharedObject(const SharedObject&) = delete;
    SharedObject& operator=(const SharedObject&) = delete;

    const pb_plugin& entry() const { return *entry_; }

    /// No code of it may be running or called again. Idempotent.
    void close();

private:
    struct Handle;
    void open(const std::filesystem::path& path, const std::string& name);

    std::unique_ptr<Handle> handle_;
    const pb_plugin* entry_ = nullptr;
};

}  // namespace patchbay
