// Judges what a statement of a plugin may touch, while SQLite prepares it.
#pragma once
#include <chrono>
#include <set>
#include <string>

#include "store/store.hpp"

namespace patchbay {

/// SQLite's own parser finds every table that a statement means, in subqueries and all, and asks.
/// Whatever is not known to be harmless is denied. Used by the connection's thread.
class TableGuard {
public:
    /// rows: reads and changes rows. tables: makes, changes and drops tables and indexes as well.
    enum class Duty { rows, tables };

    TableGuard(const TableScope& scope, Duty duty);

    /// Arguments as sqlite3_set_authorizer gives them.
    bool admits(int action, const char* first, const char* second);
    /// What was denied last, in words; empty: nothing.
    const std::string& denied() const { return denied_; }
    /// It has run for too long.
    bool is_late() const;

    /// Of one answer.
    static constexpr size_t max_rows = 10'000;

private:
    bool owns(const std::string& table) const;
    bool may_make(const std::string& name) const;
    bool admits_rows(int action, const std::string& table) const;
    bool admits_tables(int action, const std::string& first, const std::string& second);

    const TableScope& scope_;
    const Duty duty_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::set<std::string> made_;  // By this script.
    std::string denied_;
};

}  // namespace patchbay
