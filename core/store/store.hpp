// The one way to the database. Every write of the hub goes through Store::write: one writer thread
// groups whatever has queued into one transaction (a savepoint each, no timer, at most 1,024
// operations; what somebody waits for first, then a share of the background), answers after COMMIT.
// Reads use a pool.
#pragma once
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"

namespace patchbay {

/// Bytes that are not text. PostgreSQL keeps the two apart, so we do.
struct Blob {
    std::string bytes;
    bool operator==(const Blob&) const = default;
};

/// std::monostate is NULL. The hub itself stores no fractions.
using Value = std::variant<std::monostate, int64_t, std::string, Blob, double>;
using Values = std::vector<Value>;

/// NULL for an empty optional.
template <class T>
Value nullable(const std::optional<T>& value) {
    if (value) return Value{*value};
    return {};
}

class Row {
public:
    explicit Row(Values columns) : columns_(std::move(columns)) {}
    int64_t number(size_t column)
        const;  ///< Throws std::logic_error when the column is no number (NULL included).
    const std::string& text(size_t column) const;
    const std::string& bytes(size_t column) const;
    bool is_null(size_t column) const;
    std::optional<int64_t> maybe_number(size_t column) const;
    std::optional<std::string> maybe_text(size_t column) const;
    std::string text_or(size_t column, std::string_view fallback) const;
    const Value& value(size_t column) const { return columns_.at(column); }
    size_t size() const { return columns_.size(); }

private:
    Values columns_;
};
using Rows = std::vector<Row>;

/// One SQL text of the hub, defined at namespace scope in a folder's statements.hpp:
///   inline const Statement ingress_end{"ingress.end", "UPDATE ingress ...", {"PRIMARY"}};
/// It registers itself: a test asserts for each one that the plan uses the named indexes and scans
/// no table. It lives as long as the program: connections keep what they prepared for it.
struct Statement {
    Statement(const char* name_, const char* sql_, std::initializer_list<const char*> indexes_ = {},
              bool may_scan_ = false);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    const char* name;
    const char* sql;  ///< Placeholders $1..$n, each first used in ascending order. {lock}: FOR
                      ///< UPDATE SKIP LOCKED or nothing.
    std::vector<std::string> indexes;  ///< Names that EXPLAIN QUERY PLAN must show; "PRIMARY" is
                                       ///< the primary key's own index.
    bool may_scan;                     ///< Tables of a few rows only.
    static const std::vector<const Statement*>& all();
};

/// The tables of one plugin, whose SQL is a stranger's.
struct TableScope {
    std::string prefix;            ///< "rooms_": how the names of its tables and indexes begin.
    std::set<std::string> tables;  ///< Those that it has, in lower case.
};

/// What a plugin's statement answered.
struct ScopedResult {
    std::vector<std::string> columns;
    Rows rows;
    size_t changed = 0;
};

/// A place to run statements: a read connection, or the writer inside its transaction. Not to be
/// kept after the call it came with.
class Session {
public:
    virtual ~Session() = default;
    /// Runs to the end and returns all rows (also of RETURNING). Throws StoreError.
    virtual Rows run(const Statement& statement, const Values& parameters = {}) = 0;
    /// The same for a text that is made at run time (a plugin's own tables). It may not touch
    /// transactions or settings. A connection keeps the last 64 of them prepared.
    virtual Rows run_text(const std::string& sql, const Values& parameters = {}) = 0;
    std::optional<Row> first(const Statement& statement, const Values& parameters = {});

    /// One statement of a plugin, which touches rows of `scope`'s tables and nothing else, whatever
    /// it says, for a second and 10,000 rows at most. Throws StoreError(refused).
    virtual ScopedResult run_within(const TableScope& scope, const std::string& sql,
                                    const Values& parameters) = 0;
    /// Whether such a statement needs a Transaction. Throws likewise.
    virtual bool changes_within(const TableScope& scope, const std::string& sql) = 0;
};

/// Something that others may want to know once it is committed.
struct Change {
    const char* what;  ///< A word that lives as long as the program: "message.created".
    std::string id;
    bool operator==(const Change&) const = default;
};
using Changes = std::vector<Change>;

/// The writer's session: its own type, so that a function that writes says so in its signature.
class Transaction : public Session {
public:
    /// Reaches Store::on_changes after COMMIT, in order; nothing of it when this work is rolled
    /// back.
    void note(const char* what, const std::string& id) { changes_.push_back({what, id}); }
    /// Raises `counter` after COMMIT; not when this work is rolled back.
    void count(Counter& counter) { counts_.push_back(&counter); }
    /// Several statements in one text, without parameters; {blob} and {lock} are replaced. For
    /// migrations.
    virtual void run_script(const std::string& sql) = 0;
    /// The same for a plugin: it makes, changes and drops tables and indexes of `scope` alone.
    /// Throws StoreError(refused).
    virtual void run_script_within(const TableScope& scope, const std::string& sql) = 0;
    /// Runs a statement that changes rows; answers how many. For a hot path instead of RETURNING,
    /// for which SQLite makes a table in memory each time: several times the change itself.
    virtual size_t change(const Statement& statement, const Values& parameters) = 0;
    const Changes& noted() const { return changes_; }

protected:
    Changes changes_;
    std::vector<Counter*> counts_;
};

struct StoreError : std::runtime_error {
    /// refused: a plugin's statement is wrong, not allowed, or too much.
    enum class Kind { unavailable, full, constraint, corrupt, internal, refused };
    StoreError(Kind kind_, const std::string& text) : std::runtime_error(text), kind(kind_) {}
    Kind kind;
};

struct StoreConfig {
    std::string url = "sqlite:var/patchbay.db";
    std::filesystem::path base;  ///< Relative paths are relative to this folder.
    unsigned readers = 4;
    size_t max_queued = 100'000;  ///< Writes waiting, in each of the two classes; above it write()
                                  ///< throws StoreError(unavailable) (G19).
    size_t ballast_bytes = 16 << 20;  ///< A file that is deleted when the disk is full, so that
                                      ///< what is owed can end (G12). 0: none.
};

/// One migration: a text for all engines, only {blob} differs.
struct Migration {
    int64_t version;
    std::string name;
    std::string sql;
};

/// What goes first, and what may use the last of a full disk (G12). Within a class the order of
/// queueing is the order of the commits.
enum class Urgency {
    ordinary,    ///< Somebody waits for it. On a full disk it is refused (StoreError full).
    owed,        ///< As ordinary, but may use the ballast: the end of a send that has happened, a
                 ///< lease given back. For small writes only.
    background,  ///< Nobody waits. It joins a group after the others, as one small write after the
                 ///< other: one at least, and a third of the time.
    overdue      ///< Background that must not wait longer: a group takes all of it, and few others.
};

class Store {
public:
    using Work = std::function<void(Transaction&)>;
    using Done = std::function<void(std::exception_ptr)>;

    /// Opens the file and takes the one-server lock beside it (throws StoreError naming the pid
    /// that holds it). Runs PRAGMA quick_check when the last stop was unclean. Migrates nothing.
    Store(const StoreConfig& config, const Clock& clock);
    ~Store();  ///< Finishes what is queued, checkpoints, releases the lock.

    /// Runs what is missing, each in its own transaction. A changed old migration or a newer schema
    /// than known is refused (G22). `progress` gets a line at the begin and the end of each and one
    /// a second between, on the calling thread; it does not throw. The core's come first: they make
    /// the table that keeps account.
    void migrate(const std::string& component, const std::vector<Migration>& migrations,
                 const std::function<void(const std::string&)>& progress = {});

    /// The same for the tables of a plugin: the component is `plugin:` and its name. Answers what
    /// it has then, for Session::run_within. Throws StoreError, and refuses what is not its own.
    TableScope migrate_plugin(const std::string& plugin, const std::vector<Migration>& migrations);

    /// Queues `work`; it runs on the writer thread in a savepoint of its own; an exception rolls
    /// back that savepoint alone and reaches `done`. `done` runs on the writer thread after COMMIT
    /// (nullptr: committed): it must be short and not throw. `work` may run again after a failed
    /// group, so it changes nothing but the database (outputs are assigned, not appended). Throws
    /// StoreError(unavailable) at once when the queue is full or the store is closing.
    void write_async(Work work, Done done, Urgency urgency = Urgency::ordinary);

    /// The same for work that is a single statement; it is spared the savepoint.
    void run_async(const Statement& statement, Values parameters, Done done,
                   Urgency urgency = Urgency::ordinary);

    /// Waits for the commit. Returns what `work` returned; rethrows what it threw. Never call it on
    /// the writer thread.
    template <class F>
    auto write(F&& work, Urgency urgency = Urgency::ordinary) {
        using Result = std::invoke_result_t<F, Transaction&>;
        if constexpr (std::is_void_v<Result>) {
            write_and_wait([&](Transaction& tx) { work(tx); }, urgency);
        } else {
            std::optional<Result> result;
            write_and_wait([&](Transaction& tx) { result = work(tx); }, urgency);
            return std::move(*result);
        }
    }

    /// Runs `work` on a read-only connection, in one read transaction: it sees one state of the
    /// database. Waits up to 10 s for a free connection, then throws StoreError(unavailable). Reads
    /// do not nest: std::logic_error.
    template <class F>
    auto read(F&& work) {
        using Result = std::invoke_result_t<F, Session&>;
        std::optional<Result> result;
        with_reader([&](Session& session) { result = work(session); });
        return std::move(*result);
    }

    /// Copies one state of the database into a new file, flushed and checked, while reads and
    /// writes go on (F65). To restore, put the copy in the place of the database while no server
    /// runs. Throws StoreError; a file that is there already is left alone.
    void backup(const std::filesystem::path& copy);

    /// The log beside the database, which still has what was overwritten or deleted, is emptied
    /// after one of the next commits: as soon as no reader needs it. [any thread]
    void empty_log();

    /// `listener` gets what was noted (Transaction::note), on the writer thread, in the order of
    /// the commits and before `done` of the same work. It must be short, not throw and not write.
    /// Empty: none; no call of the old one goes on when this returns.
    void on_changes(std::function<void(Changes&&)> listener);

    /// `follower` runs on the writer thread behind every work that noted something, inside its
    /// savepoint: what it writes is committed, or rolled back, together with the work. It must be
    /// quick; what it throws undoes the work. Empty: none; no call of the old one goes on when this
    /// returns.
    void on_noted(std::function<void(Transaction&, const Changes&)> follower);

    const Clock& clock() const;
    size_t queued() const;  ///< Writes waiting.
    uint64_t commits()
        const;  ///< Transactions committed since the start; far fewer than writes under load.
    bool full() const;  ///< The disk is full: ordinary writes are refused until space returns
                        ///< (looked at every second).
    std::filesystem::path file() const;

private:
    void write_and_wait(const Work& work, Urgency urgency);
    void with_reader(const std::function<void(Session&)>& work);
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay
