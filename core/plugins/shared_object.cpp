#define BOOST_DLL_USE_STD_FS
#include "plugins/shared_object.hpp"

#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <mutex>
#include <patchbay/errors.hpp>
#include <utility>
#include <vector>

namespace patchbay {

struct SharedObject::Handle {
    boost::dll::shared_library library;
};

SharedObject::SharedObject(const std::filesystem::path& path, const std::string& name)
    : handle_(std::make_unique<Handle>()) {
    try {
        open(path, name);
    } catch (...) {
        close();
        throw;
    }
}

// Never freed, and reachable on purpose: what is kept so is no leak.
SharedObject::~SharedObject() {
    if (!handle_) return;
    static std::mutex mutex;
    static auto* const kept = new std::vector<std::unique_ptr<Handle>>;
    const std::lock_guard lock(mutex);
    kept->push_back(std::move(handle_));
}

void SharedObject::open(const std::filesystem::path& path, const std::string& name) {
    using namespace boost::dll;
    try {
        handle_->library.load(path, load_mode::rtld_now | load_mode::rtld_local);
    } catch (const std::exception& error) {
        throw Error(ErrorKind::refused,
                    std::string("the library cannot be opened: ") + error.what());
    }
    if (!handle_->library.has("patchbay_plugin_v1"))
        throw Error(ErrorKind::refused, "the library does not export patchbay_plugin_v1");
    entry_ = handle_->library.get<const pb_plugin*()>("patchbay_plugin_v1")();
    const bool whole = entry_ && entry_->struct_size >= sizeof(pb_plugin) && entry_->stamp &&
                       entry_->describe && entry_->check_config && entry_->create;
    if (!whole || std::strncmp(entry_->stamp->name, name.c_str(), sizeof entry_->stamp->name) != 0)
        throw Error(ErrorKind::refused, "the library's entry and its stamp do not agree");
}

void SharedObject::close() {
    if (!handle_) return;
    entry_ = nullptr;
    handle_->library.unload();
    handle_.reset();
}

}  // namespace patchbay
