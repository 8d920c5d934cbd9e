// A disk for tests that counts flushes of the log and fails when told to: a file layer between
// SQLite and the system's.
#pragma once
#include <sqlite3.h>

#include <atomic>
#include <cerrno>
#include <string_view>

namespace patchbay {

/// While it lives, newly opened logs (`*-wal`) go through it. One at a time; stores are opened
/// after it and closed before.
class FaultyDisk {
public:
    FaultyDisk() {
        system_ = sqlite3_vfs_find(nullptr);
        layer_ = *system_;
        layer_.zName = "faulty";
        layer_.xOpen = open;
        current_ = this;
        sqlite3_vfs_register(&layer_, 1);
    }
    ~FaultyDisk() {
        sqlite3_vfs_unregister(&layer_);
        sqlite3_vfs_register(system_, 1);
        current_ = nullptr;
    }

    std::atomic<int> flushes{0};
    std::atomic<bool> fails_to_flush{false};
    std::atomic<bool> is_full{false};

private:
    static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
        const int code = current_->system_->xOpen(current_->system_, name, file, flags, out_flags);
        if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
        // The system's own data stay as they are; only the table of functions is ours.
        current_->log_methods_ = *file->pMethods;
        current_->system_methods_ = *file->pMethods;
        current_->log_methods_.xSync = flush;
        current_->log_methods_.xWrite = write;
        file->pMethods = &current_->log_methods_;
        return code;
    }
    static int flush(sqlite3_file* file, int flags) {
        if (current_->fails_to_flush) {
            errno = EIO;
            return SQLITE_IOERR_FSYNC;
        }
        ++current_->flushes;
        return current_->system_methods_.xSync(file, flags);
    }
    static int write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 at) {
        if (current_->is_full) return SQLITE_FULL;
        return current_->system_methods_.xWrite(file, data, bytes, at);
    }

    inline static FaultyDisk* current_ = nullptr;
    sqlite3_vfs* system_;
    sqlite3_vfs layer_{};
    sqlite3_io_methods log_methods_{};
    sqlite3_io_methods system_methods_{};
};

}  // namespace patchbay
