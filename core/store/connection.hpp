// One connection to the SQLite file: opened by Poco::Data, with our pragmas, prepared statements
// kept.
#pragma once
#include <sqlite3.h>

#include <Poco/Data/Session.h>

#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "store/store.hpp"
#include "store/table_guard.hpp"

namespace patchbay {

/// Used by one thread at a time. Every failure is a StoreError.
///
/// Poco::Data opens and owns the connection; statements go to the native handle. Poco 1.11 takes a
/// column's type from its declaration, so COUNT(*), RETURNING n+1 and text in a BIGINT come back as
/// text or 0; it cuts text at the first NUL; a kept Statement that once failed throws "still
/// executing" ever after; and an insert costs 9.7 us against 3.9 us (measured).
class Connection {
public:
    enum class Role { writer, reader };

    Connection(const std::filesystem::path& file, Role role);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Rows run(const Statement& statement, const Values& parameters);
    /// Answers how many rows it changed.
    size_t change(const Statement& statement, const Values& parameters);
    Rows run_text(const std::string& sql, const Values& parameters);
    void run_script(const std::string& sql);
    ScopedResult run_within(const TableScope& scope, const std::string& sql,
                            const Values& parameters);
    bool changes_within(const TableScope& scope, const std::string& sql);
    void run_script_within(const TableScope& scope, const std::string& sql);

    void begin_read() { command(begin_read_, "BEGIN"); }
    /// Not Poco's begin(): that one is DEFERRED and would take the write lock half-way.
    void begin_write() { command(begin_write_, "BEGIN IMMEDIATE"); }
    void commit() { command(commit_, "COMMIT"); }
    void roll_back() noexcept;  ///< Does nothing where SQLite has already rolled back.
    void savepoint() { command(savepoint_, "SAVEPOINT work"); }
    void release() { command(release_, "RELEASE work"); }
    void roll_back_to_savepoint();
    bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

    /// Copies the log into the file. `truncate` also waits for readers (busy timeout) and empties
    /// the log.
    void checkpoint(bool truncate);
    size_t log_bytes() const {
        return log_bytes_;
    }  ///< Size of the log after the last commit of this connection.

    /// Writes one state of the database into a file of its own, flushed and checked, while others
    /// go on writing.
    void copy_to(const std::filesystem::path& copy);

    /// Throws StoreError(corrupt) when the file is damaged.
    void quick_check();
    /// [any thread] Ends what is running: StoreError(unavailable).
    void interrupt();

    /// The first failure since the last call that concerns the whole transaction: no space, an I/O
    /// error, damage.
    std::optional<StoreError> take_fatal();
    /// True after an I/O error: what the kernel still holds of the file is not to be trusted, so
    /// open anew.
    bool is_suspect() const { return suspect_; }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;
    struct Kept {
        const char* sql =
            nullptr;  ///< Another text: another statement that came to lie at this address.
        Prepared prepared;
    };
    struct KnownText {
        Prepared prepared;
        std::list<std::string>::iterator age;
    };

    class Guarded;

    void configure(Role role);
    static int authorize(void* self, int action, const char* first, const char* second, const char*,
                         const char*);
    sqlite3_stmt* known_text(const std::string& key, const std::string& sql);
    void command(Prepared& kept, const char* sql);
    Prepared prepare(const std::string& sql, const char* name, bool keep);
    Rows execute(sqlite3_stmt* statement, const char* name, const Values& parameters);
    StoreError failure(const char* name);
    StoreError misuse(const std::string& text) const;
    std::string damage_text(const std::string& found) const;
    Rows pragma(const std::string& text);

    std::filesystem::path file_;
    Poco::Data::Session session_;
    sqlite3* db_;
    size_t log_bytes_ = 0;
    std::optional<StoreError> fatal_;
    bool suspect_ = false;
    bool is_ours_ = false;         ///< What is being prepared comes from this class.
    TableGuard* guard_ = nullptr;  ///< What is being run is a plugin's.
    Prepared begin_read_, begin_write_, commit_, rollback_, savepoint_, release_, rollback_to_;
    std::unordered_map<const Statement*, Kept> kept_;
    std::unordered_map<std::string, KnownText> texts_;
    std::list<std::string> texts_by_age_;  ///< Last used first.
};

}  // namespace patchbay
