#define BOOST_DLL_USE_STD_FS
#include "plugins/library.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <patchbay/errors.hpp>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"

namespace patchbay {

struct Library::Handle {
    boost::dll::shared_library library;
};

namespace {

// Never used twice in one process, whatever instance or host asks.
std::atomic<uint64_t> copies{0};

std::filesystem::path stage(const PluginFile& file, const std::filesystem::path& folder) {
    const std::string digest = to_hex(sha256(file.content)).substr(0, 12);
    const auto path =
        folder / (file.stamp.name + "-" + digest + "-g" + std::to_string(++copies) + ".so");
    const int descriptor =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0500);
    if (descriptor < 0)
        throw Error(ErrorKind::refused,
                    std::string("the private copy cannot be made: ") + std::strerror(errno));
    size_t done = 0;
    while (done < file.content.size()) {
        const ssize_t count =
            ::write(descriptor, file.content.data() + done, file.content.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        done += static_cast<size_t>(count);
    }
    const bool whole = ::close(descriptor) == 0 && done == file.content.size();
    if (!whole) {
        std::filesystem::remove(path);
        throw Error(ErrorKind::refused, "the private copy cannot be written: no room?");
    }
    return path;
}

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
    : path_(std::filesystem::absolute(stage(file, std::filesystem::canonical(staging)))),
      handle_(std::make_unique<Handle>()) {
    try {
        open(file.stamp);
    } catch (...) {
        close();
        throw;
    }
}

Library::~Library() {
    if (handle_) static_cast<void>(handle_.release());
}

void Library::open(const PluginStamp& stamp) {
    using namespace boost::dll;
    try {
        handle_->library.load(path_, load_mode::rtld_now | load_mode::rtld_local);
    } catch (const std::exception& error) {
        throw Error(ErrorKind::refused,
                    std::string("the library cannot be opened: ") + error.what());
    }
    if (!handle_->library.has("patchbay_plugin_v1"))
        throw Error(ErrorKind::refused, "the library does not export patchbay_plugin_v1");
    entry_ = handle_->library.get<const pb_plugin*()>("patchbay_plugin_v1")();
    const bool whole = entry_ && entry_->struct_size >= sizeof(pb_plugin) && entry_->stamp &&
                       entry_->describe && entry_->check_config && entry_->create;
    if (!whole ||
        std::strncmp(entry_->stamp->name, stamp.name.c_str(), sizeof entry_->stamp->name) != 0)
        throw Error(ErrorKind::refused, "the library's entry and its stamp do not agree");
}

bool Library::close() {
    if (!handle_) return true;
    entry_ = nullptr;
    handle_->library.unload();
    handle_.reset();
    // Boost says "unloaded" once dlclose was called; the loader may keep the library for a unique
    // symbol or a thread-local.
    const bool gone = !is_loaded(path_) && !is_mapped(path_);
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    return gone;
}

}  // namespace patchbay
