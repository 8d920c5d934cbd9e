#include "messaging/blob_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchbay/sdk.hpp>

#include "base/crypto.hpp"

namespace patchbay {
namespace {

constexpr size_t key_bytes = 16;
constexpr mode_t folder_mode = 0750, file_mode = 0640;

class Handle {
public:
    explicit Handle(int fd) : fd_(fd) {}
    ~Handle() {
        if (fd_ >= 0) ::close(fd_);
    }
    Handle(Handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Handle& operator=(Handle&&) = delete;
    int fd() const { return fd_; }
    bool is_open() const { return fd_ >= 0; }

private:
    int fd_;
};

[[noreturn]] void fail(const char* what) {
    throw Error(ErrorKind::unavailable,
                std::string("the media folder: ") + what + ": " + std::strerror(errno));
}

bool is_key(std::string_view key) {
    return key.size() == 2 * key_bytes &&
           key.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Handle open_folder(int at, const char* name) {
    return Handle{::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
}

Handle make_folder(int at, const std::string& name) {
    const bool is_new = ::mkdirat(at, name.c_str(), folder_mode) == 0;
    if (!is_new && errno != EEXIST) fail("it cannot be written to");
    if (is_new) ::fsync(at);
    Handle made = open_folder(at, name.c_str());
    if (!made.is_open()) fail("a folder in it is none");
    return made;
}

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) fail("a file cannot be written");
        bytes.remove_prefix(static_cast<size_t>(wrote));
    }
    if (::fdatasync(fd) != 0) fail("a file cannot be flushed");
}

// The folder of a key that is there; not open where it is not.
Handle folder_of(const std::filesystem::path& root, const std::string& key) {
    if (!is_key(key)) return Handle{-1};
    const Handle top{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!top.is_open()) return Handle{-1};
    const Handle first = open_folder(top.fd(), key.substr(0, 2).c_str());
    if (!first.is_open()) return Handle{-1};
    return open_folder(first.fd(), key.substr(2, 2).c_str());
}

}  // namespace

std::string BlobStore::put(std::string_view bytes) const {
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    const Handle top{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!top.is_open()) fail("it cannot be opened");
    const std::string key = to_hex(random_bytes(key_bytes));
    const Handle first = make_folder(top.fd(), key.substr(0, 2));
    const Handle second = make_folder(first.fd(), key.substr(2, 2));
    const Handle file{::openat(second.fd(), key.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file_mode)};
    if (!file.is_open()) fail("a file cannot be made");
    try {
        write_all(file.fd(), bytes);
    } catch (...) {
        ::unlinkat(second.fd(), key.c_str(), 0);
        throw;
    }
    ::fsync(second.fd());
    return key;
}

std::optional<std::string> BlobStore::get(const std::string& key) const {
    const Handle folder = folder_of(folder_, key);
    if (!folder.is_open()) return std::nullopt;
    const Handle file{::openat(folder.fd(), key.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    struct stat facts {};
    if (!file.is_open() || ::fstat(file.fd(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return std::nullopt;
    }
    std::string bytes(static_cast<size_t>(facts.st_size), '\0');
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = ::read(file.fd(), bytes.data() + done, bytes.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail("a file cannot be read");
        done += static_cast<size_t>(got);
    }
    return bytes;
}

void BlobStore::remove(const std::string& key) const {
    const Handle folder = folder_of(folder_, key);
    if (folder.is_open()) ::unlinkat(folder.fd(), key.c_str(), 0);
}

}  // namespace patchbay
