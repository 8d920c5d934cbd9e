#include "store/table_guard.hpp"

#include <sqlite3.h>

#include <patchbay/text.hpp>

namespace patchbay {
namespace {

using namespace std::chrono_literals;

// A statement of a plugin may run on the one thread that writes: everybody waits behind it.
constexpr auto longest_statement = 1s;

std::string lower(const char* name) { return name ? ascii_lower(std::string_view(name)) : ""; }

bool is_schema_table(const std::string& table) {
    return table == "sqlite_master" || table == "sqlite_schema" || table == "sqlite_temp_master" ||
           table == "sqlite_sequence";
}

// They make rows of a text and read no table.
bool is_table_function(const std::string& table) {
    return table == "json_each" || table == "json_tree";
}

}  // namespace

TableGuard::TableGuard(const TableScope& scope, Duty duty) : scope_(scope), duty_(duty) {}

bool TableGuard::is_late() const {
    return duty_ == Duty::rows && std::chrono::steady_clock::now() - began_ > longest_statement;
}

bool TableGuard::owns(const std::string& table) const {
    return scope_.tables.contains(table) || made_.contains(table);
}

bool TableGuard::may_make(const std::string& name) const {
    return name.starts_with(scope_.prefix) || name.starts_with("sqlite_autoindex_" + scope_.prefix);
}

bool TableGuard::admits(int action, const char* first, const char* second) {
    const std::string name = lower(first);
    if (admits_rows(action, name)) return true;
    if (duty_ == Duty::tables && admits_tables(action, name, lower(second))) return true;
    denied_ = name.empty() ? "this kind of statement is not allowed"
                           : "\"" + name + "\" is not a table of this plugin, whose tables begin " +
                                 "with \"" + scope_.prefix + "\", or this is not allowed with it";
    return false;
}

bool TableGuard::admits_rows(int action, const std::string& name) const {
    switch (action) {
        case SQLITE_SELECT:
        case SQLITE_RECURSIVE:
            return true;
        case SQLITE_FUNCTION:  // Its name is the second argument; none of them loads or writes.
            return true;
        case SQLITE_READ:
            return owns(name) || is_table_function(name);
        case SQLITE_INSERT:
        case SQLITE_UPDATE:
        case SQLITE_DELETE:
            return owns(name);
        default:
            return false;
    }
}

// No triggers and views: they would run in statements of others, without this guard.
bool TableGuard::admits_tables(int action, const std::string& first, const std::string& second) {
    switch (action) {
        case SQLITE_READ:
        case SQLITE_INSERT:
        case SQLITE_UPDATE:
        case SQLITE_DELETE:  // SQLite's own part of CREATE and DROP; by hand it refuses them.
            return is_schema_table(first);
        case SQLITE_CREATE_TABLE:
            if (may_make(first)) made_.insert(first);
            return may_make(first);
        case SQLITE_CREATE_INDEX:
            return may_make(first) && owns(second);
        case SQLITE_DROP_TABLE:
            return owns(first);
        case SQLITE_DROP_INDEX:
        case SQLITE_ALTER_TABLE:  // Of the database in `first`.
            return owns(second);
        case SQLITE_REINDEX:
            return may_make(first);
        default:
            return false;
    }
}

}  // namespace patchbay
