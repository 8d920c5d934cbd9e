#include "plugins/library.hpp"

#include <dlfcn.h>

#include <fstream>

namespace patchbay {
namespace {

bool is_mapped(const std::string& path) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        if (line.find(path) != std::string::npos) return true;
    return false;
}

bool is_loaded(const std::string& path) {
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    if (handle) ::dlclose(handle);
    return handle != nullptr;
}

}  // namespace

Library::Library(const PluginFile& file, const std::filesystem::path& staging)
    : copy_(file, staging) {
    try {
        opened_ = std::make_unique<SharedObject>(copy_.path(), file.stamp.name);
    } catch (...) {
        copy_.remove();
        throw;
    }
}

bool Library::close() {
    if (!opened_) return true;
    opened_->close();
    opened_.reset();
    // Boost says "unloaded" once dlclose was called; the loader may keep the library for a unique
    // symbol or a thread-local.
    const bool gone = !is_loaded(path()) && !is_mapped(path());
    copy_.remove();
    return gone;
}

}  // namespace patchbay
