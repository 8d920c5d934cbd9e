#include "store/backup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "store/connection.hpp"

namespace patchbay {
namespace {

// A new name is durable once its folder is flushed.
void flush_folder(const std::filesystem::path& folder) {
    const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

[[noreturn]] void refuse(const std::filesystem::path& file, int error) {
    throw StoreError(StoreError::Kind::unavailable, "cannot make backup " + file.string() + ": " +
                                                        std::generic_category().message(error));
}

void make_private_file(const std::filesystem::path& file) {
    const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) refuse(file, errno);
    close(descriptor);
}

}  // namespace

void make_backup(const std::filesystem::path& file, const std::filesystem::path& copy) {
    const auto target = std::filesystem::absolute(copy);
    if (std::filesystem::exists(target)) refuse(target, EEXIST);
    // Under another name until it is whole: what bears the name of a backup is one.
    const std::filesystem::path part = target.string() + ".part";
    std::error_code error;
    try {
        make_private_file(part);
        Connection(file, Connection::Role::reader).copy_to(part);
    } catch (...) {
        std::filesystem::remove(part, error);
        throw;
    }
    std::filesystem::rename(part, target, error);
    if (error) refuse(target, error.value());
    flush_folder(target.parent_path());
}

}  // namespace patchbay
