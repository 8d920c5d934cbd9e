// Plugins' own SQL tables, as the values of tables/1: for the service, and for tests of plugins.
#pragma once
#include <map>
#include <mutex>
#include <patchbay/services.hpp>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace patchbay {

/// Which tables each plugin has. [any thread]
class PluginTables {
public:
    explicit PluginTables(Store& store) : store_(store) {}

    /// Runs what is missing of the plugin's migrations, before an instance of it is made. Throws
    /// Error(config) with the reason; nothing of the migration that failed stays.
    void prepare(const std::string& plugin, const std::vector<tables::Migration>& migrations);
    /// Of a plugin that was prepared; none for any other.
    TableScope scope_of(const std::string& plugin) const;

private:
    Store& store_;
    mutable std::mutex mutex_;
    std::map<std::string, TableScope> scopes_;
};

/// One statement within a transaction. Throws StoreError; Error(conflict) when it did not change
/// the number of rows that was expected.
tables::Rows run_statement(Transaction& tx, const TableScope& scope,
                           const tables::Statement& statement);

/// One statement alone; what only reads waits for no write. Throws as in_terms_of_plugins says.
tables::Rows query_tables(Store& store, const TableScope& scope,
                          const tables::Statement& statement);

/// A plugin's mistake becomes Error(request), a constraint Error(conflict), a store that cannot
/// work now Error(unavailable).
[[noreturn]] void rethrow_in_terms_of_plugins(const StoreError& error);

}  // namespace patchbay
