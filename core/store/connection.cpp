#include "store/connection.hpp"

#include <Poco/Data/DataException.h>
#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/Utility.h>

#include <cerrno>
#include <mutex>

namespace patchbay {
namespace {

constexpr int busy_timeout_ms = 5'000;
// For the one checkpoint that waits for readers: every write waits meanwhile.
constexpr int checkpoint_timeout_ms = 250;
constexpr size_t max_known_texts = 64;

// A connection is used by one thread at a time, and nobody asks for SQLite's account of its memory:
// without the locks that both would need, a tenth of the writer's time is saved. Counts only before
// the first use of the library; later it is refused, and nothing is lost.
void leave_out_locks() {
    static std::once_flag once;
    std::call_once(once, [] {
        sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    });
}

Poco::Data::Session open_session(const std::filesystem::path& file) {
    leave_out_locks();
    Poco::Data::SQLite::Connector::registerConnector();
    try {
        return Poco::Data::Session("SQLite", file.string());
    } catch (const Poco::Exception& error) {
        throw StoreError(StoreError::Kind::unavailable,
                         "cannot open database " + file.string() + ": " + error.displayText());
    }
}

std::string replaced(std::string text, std::string_view mark, std::string_view by) {
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size()))
        text.replace(at, mark.size(), by);
    return text;
}

std::string for_sqlite(std::string sql) {
    return replaced(replaced(std::move(sql), "{lock}", ""), "{blob}", "BLOB");
}

int bind(sqlite3_stmt* statement, int place, const Value& value) {
    struct Binder {
        sqlite3_stmt* statement;
        int place;
        int operator()(std::monostate) const { return sqlite3_bind_null(statement, place); }
        int operator()(int64_t number) const {
            return sqlite3_bind_int64(statement, place, number);
        }
        // SQLITE_STATIC: the parameters outlive the call, so nothing is copied.
        int operator()(const std::string& text) const {
            return sqlite3_bind_text64(statement, place, text.data(), text.size(), SQLITE_STATIC,
                                       SQLITE_UTF8);
        }
        int operator()(const Blob& blob) const {
            return sqlite3_bind_blob64(statement, place, blob.bytes.data(), blob.bytes.size(),
                                       SQLITE_STATIC);
        }
        int operator()(double fraction) const {
            return sqlite3_bind_double(statement, place, fraction);
        }
    };
    return std::visit(Binder{statement, place}, value);
}

// The type is that of this row: SQLite keeps one per value, and an expression has no declared type.
Value column(sqlite3_stmt* statement, int place) {
    switch (sqlite3_column_type(statement, place)) {
        case SQLITE_NULL:
            return {};
        case SQLITE_INTEGER:
            return static_cast<int64_t>(sqlite3_column_int64(statement, place));
        case SQLITE_TEXT: {
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, place));
            return std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement, place)));
        }
        case SQLITE_BLOB: {
            const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, place));
            const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, place));
            return Blob{size == 0 ? std::string() : std::string(bytes, size)};
        }
        default:
            return sqlite3_column_double(statement, place);
    }
}

Row read_row(sqlite3_stmt* statement) {
    const int count = sqlite3_column_count(statement);
    Values values;
    values.reserve(static_cast<size_t>(count));
    for (int place = 0; place < count; ++place) values.push_back(column(statement, place));
    return Row(std::move(values));
}

// A statement that is not reset keeps its locks, whatever it ended with.
struct Reset {
    sqlite3_stmt* statement;
    ~Reset() { sqlite3_reset(statement); }
};

class Ours {
public:
    explicit Ours(bool& flag) : flag_(flag) { flag_ = true; }
    ~Ours() { flag_ = false; }

private:
    bool& flag_;
};

constexpr int steps_between_looks = 10'000;

int last_errno(sqlite3* database, int file_pointer) {
    sqlite3_file* file = nullptr;
    int last = 0;
    if (sqlite3_file_control(database, "main", file_pointer, &file) == SQLITE_OK && file &&
        file->pMethods)
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &last);
    return last;
}

// SQLite says FULL for ENOSPC alone; a quota and a file size limit are the same to us (F11). The
// reason stands with the file: sqlite3_system_errno() has lost it once SQLite has rolled back.
bool lacks_space(sqlite3* database, int code) {
    if (code == SQLITE_IOERR_SHMSIZE) return true;  // The log's index could not grow.
    if (code != SQLITE_IOERR_WRITE) return false;
    for (const int file : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
        const int last = last_errno(database, file);
        if (last == ENOSPC || last == EDQUOT || last == EFBIG) return true;
    }
    return false;
}

StoreError::Kind kind_of(sqlite3* database, int code) {
    using Kind = StoreError::Kind;
    switch (code & 0xff) {
        case SQLITE_CONSTRAINT:
            return Kind::constraint;
        case SQLITE_FULL:
            return Kind::full;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Kind::corrupt;
        case SQLITE_IOERR:
            return lacks_space(database, code) ? Kind::full : Kind::unavailable;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PROTOCOL:
        case SQLITE_INTERRUPT:
            return Kind::unavailable;
        default:
            return Kind::internal;
    }
}

}  // namespace

Connection::Connection(const std::filesystem::path& file, Role role)
    : file_(file),
      session_(open_session(file)),
      db_(Poco::Data::SQLite::Utility::dbHandle(session_)) {
    configure(role);
}

Connection::~Connection() {
    // SQLite refuses to close while a statement is prepared, and Poco does not look at its answer.
    for (Prepared* kept :
         {&begin_read_, &begin_write_, &commit_, &rollback_, &savepoint_, &release_, &rollback_to_})
        kept->reset();
    kept_.clear();
    texts_.clear();
}

void Connection::configure(Role role) {
    sqlite3_extended_result_codes(db_, 1);
    sqlite3_busy_timeout(db_, busy_timeout_ms);
    // "text" in double quotes would silently be a string where PostgreSQL sees a column.
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    // The writer checkpoints before it closes; nobody else ever may (WAL-reset defect of SQLite
    // before 3.51.3).
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_set_authorizer(db_, authorize, this);
    if (pragma("journal_mode=WAL").at(0).text(0) != "wal")
        throw StoreError(StoreError::Kind::unavailable,
                         "database " + file_.string() + " cannot use a write-ahead log");
    pragma("synchronous=FULL");
    pragma("foreign_keys=ON");
    pragma("temp_store=MEMORY");
    pragma("wal_autocheckpoint=0");
    pragma("journal_size_limit=67108864");
    // KiB. What several readers would keep twice, the kernel keeps once.
    pragma(role == Role::writer ? "cache_size=-16384" : "cache_size=-4096");
    if (role == Role::reader) pragma("query_only=ON");
    // What was erased is gone from the file too (S86). Debian's SQLite does so anyway.
    if (role == Role::writer) pragma("secure_delete=ON");
    // Told of the log's length after each commit, the writer needs no look at the file.
    sqlite3_wal_hook(
        db_,
        [](void* self, sqlite3*, const char*, int pages) {
            constexpr size_t frame_bytes = 4096 + 24;
            static_cast<Connection*>(self)->log_bytes_ = static_cast<size_t>(pages) * frame_bytes;
            return SQLITE_OK;
        },
        this);
}

/// While it lives, what is prepared and run is a plugin's.
class Connection::Guarded {
public:
    Guarded(Connection& connection, TableGuard& guard) : connection_(connection) {
        connection_.guard_ = &guard;
        sqlite3_progress_handler(
            connection_.db_, steps_between_looks,
            [](void* self) { return static_cast<TableGuard*>(self)->is_late() ? 1 : 0; }, &guard);
    }
    ~Guarded() {
        sqlite3_progress_handler(connection_.db_, 0, nullptr, nullptr);
        connection_.guard_ = nullptr;
    }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;

private:
    Connection& connection_;
};

// Texts made at run time and migrations end no transaction of ours and change no setting.
int Connection::authorize(void* self, int action, const char* first, const char* second,
                          const char*, const char*) {
    const Connection& own = *static_cast<Connection*>(self);
    if (own.is_ours_) return SQLITE_OK;
    if (own.guard_) return own.guard_->admits(action, first, second) ? SQLITE_OK : SQLITE_DENY;
    switch (action) {
        case SQLITE_TRANSACTION:
        case SQLITE_SAVEPOINT:
        case SQLITE_PRAGMA:
        case SQLITE_ATTACH:
        case SQLITE_DETACH:
            return SQLITE_DENY;
        default:
            return SQLITE_OK;
    }
}

Rows Connection::pragma(const std::string& text) {
    const Ours ours(is_ours_);
    const Prepared prepared = prepare("PRAGMA " + text, text.c_str(), false);
    return execute(prepared.get(), text.c_str(), {});
}

std::string Connection::damage_text(const std::string& found) const {
    return "database " + file_.string() + " is damaged (" + found +
           "): it is left as it is and nothing more is written; stop the hub, keep the file, "
           "restore the newest backup";
}

StoreError Connection::failure(const char* name) {
    const int code = sqlite3_extended_errcode(db_);
    if (guard_ && code == SQLITE_INTERRUPT) return misuse("a statement took longer than a second");
    if (guard_ && code == SQLITE_AUTH && !guard_->denied().empty()) return misuse(guard_->denied());
    StoreError::Kind kind = kind_of(db_, code);
    if (guard_ && kind == StoreError::Kind::internal) kind = StoreError::Kind::refused;
    std::string text =
        std::string(name) + ": " + sqlite3_errmsg(db_) + " (" + std::to_string(code) + ")";
    if (kind == StoreError::Kind::corrupt) text = damage_text(text);
    if ((code & 0xff) == SQLITE_IOERR) suspect_ = true;
    StoreError error(kind, text);
    if (!fatal_ && kind != StoreError::Kind::constraint && kind != StoreError::Kind::internal &&
        kind != StoreError::Kind::refused)
        fatal_ = error;
    return error;
}

StoreError Connection::misuse(const std::string& text) const {
    return {guard_ ? StoreError::Kind::refused : StoreError::Kind::internal, text};
}

std::optional<StoreError> Connection::take_fatal() { return std::exchange(fatal_, std::nullopt); }

Connection::Prepared Connection::prepare(const std::string& sql, const char* name, bool keep) {
    sqlite3_stmt* raw = nullptr;
    const unsigned flags = keep ? SQLITE_PREPARE_PERSISTENT : 0;
    const char* tail = nullptr;
    if (sqlite3_prepare_v3(db_, sql.c_str(), static_cast<int>(sql.size()), flags, &raw, &tail) !=
        SQLITE_OK)
        throw failure(name);
    Prepared prepared(raw);
    if (!prepared || std::string_view(tail).find_first_not_of(" \n\t;") != std::string_view::npos)
        throw misuse(std::string(name) + ": one statement is expected");
    // To SQLite $2 is a name like any other: places are given in the order of first use.
    for (int place = 1; place <= sqlite3_bind_parameter_count(raw); ++place) {
        const char* found = sqlite3_bind_parameter_name(raw, place);
        if (found == nullptr || found != "$" + std::to_string(place))
            throw misuse(std::string(name) +
                         ": placeholders are $1..$n, first used in ascending order");
    }
    return prepared;
}

Rows Connection::execute(sqlite3_stmt* statement, const char* name, const Values& parameters) {
    if (static_cast<size_t>(sqlite3_bind_parameter_count(statement)) != parameters.size())
        throw misuse(std::string(name) + ": takes " +
                     std::to_string(sqlite3_bind_parameter_count(statement)) + " parameters, got " +
                     std::to_string(parameters.size()));
    const Reset reset{statement};
    for (size_t i = 0; i < parameters.size(); ++i)
        if (bind(statement, static_cast<int>(i) + 1, parameters[i]) != SQLITE_OK)
            throw failure(name);
    Rows rows;
    for (;;) {
        const int code = sqlite3_step(statement);
        if (code == SQLITE_DONE) return rows;
        if (code != SQLITE_ROW) throw failure(name);
        if (guard_ && rows.size() == TableGuard::max_rows)
            throw misuse("a statement gives more than 10,000 rows: say LIMIT");
        rows.push_back(read_row(statement));
    }
}

Rows Connection::run(const Statement& statement, const Values& parameters) {
    Kept& kept = kept_[&statement];
    if (kept.sql != statement.sql)
        kept = {statement.sql, prepare(for_sqlite(statement.sql), statement.name, true)};
    return execute(kept.prepared.get(), statement.name, parameters);
}

size_t Connection::change(const Statement& statement, const Values& parameters) {
    run(statement, parameters);
    return static_cast<size_t>(sqlite3_changes64(db_));
}

sqlite3_stmt* Connection::known_text(const std::string& key, const std::string& sql) {
    auto known = texts_.find(key);
    if (known == texts_.end()) {
        Prepared prepared = prepare(for_sqlite(sql), "text", true);
        if (texts_.size() == max_known_texts) {
            texts_.erase(texts_by_age_.back());
            texts_by_age_.pop_back();
        }
        texts_by_age_.push_front(key);
        known = texts_.emplace(key, KnownText{std::move(prepared), texts_by_age_.begin()}).first;
    } else {
        texts_by_age_.splice(texts_by_age_.begin(), texts_by_age_, known->second.age);
    }
    return known->second.prepared.get();
}

Rows Connection::run_text(const std::string& sql, const Values& parameters) {
    return execute(known_text(sql, sql), "text", parameters);
}

// Under a key of the plugin's own: what was prepared for others was not judged.
bool Connection::changes_within(const TableScope& scope, const std::string& sql) {
    TableGuard guard(scope, TableGuard::Duty::rows);
    const Guarded guarded(*this, guard);
    return sqlite3_stmt_readonly(known_text(scope.prefix + '\n' + sql, sql)) == 0;
}

ScopedResult Connection::run_within(const TableScope& scope, const std::string& sql,
                                    const Values& parameters) {
    TableGuard guard(scope, TableGuard::Duty::rows);
    const Guarded guarded(*this, guard);
    sqlite3_stmt* statement = known_text(scope.prefix + '\n' + sql, sql);
    ScopedResult result;
    for (int column = 0; column < sqlite3_column_count(statement); ++column)
        result.columns.emplace_back(sqlite3_column_name(statement, column));
    result.rows = execute(statement, "text", parameters);
    if (sqlite3_stmt_readonly(statement) == 0)
        result.changed = static_cast<size_t>(sqlite3_changes64(db_));
    return result;
}

void Connection::run_script_within(const TableScope& scope, const std::string& sql) {
    TableGuard guard(scope, TableGuard::Duty::tables);
    const Guarded guarded(*this, guard);
    run_script(sql);
}

void Connection::run_script(const std::string& sql) {
    const std::string text = for_sqlite(sql);
    const char* rest = text.c_str();
    const char* const end = rest + text.size();
    while (rest < end) {
        // SQLite itself finds where a statement ends: comments, quotes and all.
        sqlite3_stmt* raw = nullptr;
        if (sqlite3_prepare_v3(db_, rest, static_cast<int>(end - rest), 0, &raw, &rest) !=
            SQLITE_OK)
            throw failure("script");
        const Prepared prepared(raw);
        if (prepared) execute(raw, "script", {});  // None: nothing but comments was left.
    }
}

void Connection::command(Prepared& kept, const char* sql) {
    const Ours ours(is_ours_);
    if (!kept) kept = prepare(sql, sql, true);
    execute(kept.get(), sql, {});
}

void Connection::roll_back() noexcept {
    // After a failed COMMIT or a full disk SQLite has often rolled back already, and would call
    // ROLLBACK an error.
    if (!in_transaction()) return;
    try {
        command(rollback_, "ROLLBACK");
    } catch (const std::exception&) {
        suspect_ = true;
    }
}

void Connection::roll_back_to_savepoint() {
    command(rollback_to_, "ROLLBACK TO work");
    release();
}

void Connection::checkpoint(bool truncate) {
    const int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    sqlite3_busy_timeout(db_, checkpoint_timeout_ms);
    const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, mode, nullptr, nullptr);
    sqlite3_busy_timeout(db_, busy_timeout_ms);
    if ((code & 0xff) == SQLITE_BUSY) return;  // A reader still needs the log; later, then.
    if (code != SQLITE_OK) throw failure("checkpoint");
    log_bytes_ = 0;  // All copied: the next commit begins the log again and tells its length.
}

void Connection::copy_to(const std::filesystem::path& copy) try {
    using namespace Poco::Data::Keywords;
    // Not another Connection: a copy is to stand alone, without a log beside it.
    Poco::Data::Session session = open_session(copy);
    sqlite3* target = Poco::Data::SQLite::Utility::dbHandle(session);
    sqlite3_backup* backup = sqlite3_backup_init(target, "main", db_, "main");
    // All pages in one step: in several, each write in between would begin the copy again.
    if (backup) sqlite3_backup_step(backup, -1);
    const int code = backup ? sqlite3_backup_finish(backup) : sqlite3_errcode(target);
    if (code != SQLITE_OK)
        throw StoreError(kind_of(target, code), "cannot copy the database to " + copy.string() +
                                                    ": " + sqlite3_errmsg(target));
    std::string mode, found;
    session << "PRAGMA journal_mode=DELETE", into(mode), now;
    session << "PRAGMA quick_check(1)", into(found), now;
    if (mode != "delete" || found != "ok")
        throw StoreError(StoreError::Kind::corrupt, damage_text("in its copy: " + found));
} catch (const Poco::Exception& error) {
    throw StoreError(StoreError::Kind::unavailable,
                     "cannot copy the database to " + copy.string() + ": " + error.displayText());
}

void Connection::quick_check() {
    const std::string found = pragma("quick_check(1)").at(0).text(0);
    if (found == "ok") return;
    throw StoreError(StoreError::Kind::corrupt, damage_text("quick_check: " + found));
}

void Connection::interrupt() { sqlite3_interrupt(db_); }

}  // namespace patchbay
