#include "store/database_file.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "store/store.hpp"

namespace patchbay {
namespace {

[[noreturn]] void unavailable(const std::string& text) {
    throw StoreError(StoreError::Kind::unavailable, text);
}

std::string system_text() { return std::generic_category().message(errno); }

// Not in <linux/magic.h>. Source: man 2 statfs
constexpr long cifs_magic = 0xFF534D42;
constexpr long smb2_magic = 0xFE534D42;

std::string content_of(int descriptor) {
    char text[32];
    const ssize_t count = pread(descriptor, text, sizeof text, 0);
    std::string content(text, count > 0 ? static_cast<size_t>(count) : 0);
    while (!content.empty() && content.back() == '\n') content.pop_back();
    return content;
}

void fill(int descriptor, size_t bytes) {
    const std::string block(1 << 20, '\0');
    for (size_t written = 0; written < bytes;) {
        const ssize_t count =
            write(descriptor, block.data(), std::min(block.size(), bytes - written));
        if (count <= 0) throw std::system_error(errno, std::generic_category());
        written += static_cast<size_t>(count);
    }
}

}  // namespace

bool is_network_file_system(long type) {
    // statfs() gives a signed long: on 32 bits the high magics come out negative.
    const long masked = type & 0xFFFFFFFFL;
    for (const long network :
         {static_cast<long>(NFS_SUPER_MAGIC), static_cast<long>(SMB_SUPER_MAGIC), cifs_magic,
          smb2_magic, static_cast<long>(AFS_SUPER_MAGIC), static_cast<long>(CODA_SUPER_MAGIC),
          static_cast<long>(NCP_SUPER_MAGIC)})
        if (masked == network) return true;
    return false;
}

std::filesystem::path require_database_file(const std::string& url,
                                            const std::filesystem::path& base) {
    constexpr std::string_view scheme = "sqlite:";
    if (!url.starts_with(scheme) || url.size() == scheme.size())
        unavailable("store.url: expected \"sqlite:\" and a path, found \"" +
                    url.substr(0, url.find(':') + 1) + "...\"");
    const auto file =
        std::filesystem::absolute(base / url.substr(scheme.size())).lexically_normal();
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    if (error)
        unavailable("cannot make folder " + file.parent_path().string() + ": " + error.message());
    struct statfs folder {};
    if (statfs(file.parent_path().c_str(), &folder) != 0)
        unavailable("cannot read folder " + file.parent_path().string() + ": " + system_text());
    if (is_network_file_system(folder.f_type))
        unavailable("database " + file.string() +
                    " is on a network file system; it needs a local disk");
    // Made before SQLite does: customers' messages are nobody else's to read, and its log takes
    // over the mode.
    const int made = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (made < 0) unavailable("cannot open database " + file.string() + ": " + system_text());
    close(made);
    return file;
}

ServerLock::ServerLock(const std::filesystem::path& database) {
    const std::string file = database.string() + ".lock";
    descriptor_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) unavailable("cannot open " + file + ": " + system_text());
    const std::string content = content_of(descriptor_);
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        const std::string reason =
            errno == EWOULDBLOCK
                ? "is in use by process " + (content.empty() ? "(unknown)" : content)
                : "cannot be locked: " + system_text();
        close(descriptor_);
        unavailable("database " + database.string() + " " + reason);
    }
    unclean_ = !content_of(descriptor_).empty();
    const std::string pid = std::to_string(getpid()) + "\n";
    if (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, pid.data(), pid.size(), 0) < 0) {
        // A full disk: the server can still read, and the next start checks for nothing.
        unclean_ = true;
    }
    fdatasync(descriptor_);
}

ServerLock::~ServerLock() { close(descriptor_); }

void ServerLock::mark_clean() {
    if (ftruncate(descriptor_, 0) == 0) fdatasync(descriptor_);
}

Ballast::Ballast(const std::filesystem::path& database, size_t bytes)
    : file_(database.string() + ".ballast"), bytes_(bytes) {}

bool Ballast::is_there() const {
    struct stat status {};
    return stat(file_.c_str(), &status) == 0 &&
           static_cast<size_t>(status.st_blocks) * 512 >= bytes_;
}

bool Ballast::drop() {
    std::error_code ignored;
    return bytes_ > 0 && std::filesystem::remove(file_, ignored);
}

bool Ballast::restore() {
    if (bytes_ == 0 || is_there()) return true;
    struct statvfs disk {};
    if (statvfs(file_.parent_path().c_str(), &disk) != 0 ||
        disk.f_bavail * disk.f_frsize < 2 * bytes_)
        return false;
    const int descriptor = open(file_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return false;
    bool there = fallocate(descriptor, 0, 0, static_cast<off_t>(bytes_)) == 0;
    if (!there && errno == EOPNOTSUPP) {
        try {
            fill(descriptor, bytes_);
            there = true;
        } catch (const std::system_error&) {
            there = false;
        }
    }
    close(descriptor);
    if (!there) drop();
    return there;
}

}  // namespace patchbay
