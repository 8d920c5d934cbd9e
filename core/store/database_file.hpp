// What stands beside the database file: the one-server lock and the ballast.
#pragma once
#include <cstddef>
#include <filesystem>

namespace patchbay {

/// The path in a url such as "sqlite:var/patchbay.db", its folder made, the file made readable by
/// its owner only. Throws StoreError for another engine and for a network file system, whose locks
/// and shared memory SQLite cannot rely on.
std::filesystem::path require_database_file(const std::string& url,
                                            const std::filesystem::path& base);

/// `type` as statfs() gives it.
bool is_network_file_system(long type);

/// `<database>.lock`, held while the store is open. The pid inside is also the mark of an unclean
/// stop: a clean one empties it.
class ServerLock {
public:
    /// Throws StoreError(unavailable) naming the pid that holds it (F64).
    explicit ServerLock(const std::filesystem::path& database);
    ~ServerLock();
    ServerLock(const ServerLock&) = delete;
    ServerLock& operator=(const ServerLock&) = delete;

    bool last_stop_was_unclean() const { return unclean_; }
    void mark_clean();

private:
    int descriptor_;
    bool unclean_ = false;
};

/// `<database>.ballast`: space kept back for the day the disk is full (G12).
class Ballast {
public:
    Ballast(const std::filesystem::path& database, size_t bytes);
    bool drop();  ///< True when that has freed space.
    bool
    restore();  ///< True when it is there afterwards. Leaves as much again free, or does nothing.

private:
    bool is_there() const;
    std::filesystem::path file_;
    size_t bytes_;
};

}  // namespace patchbay
