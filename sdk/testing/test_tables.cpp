#include "test_tables.hpp"

#include "store/migrations.hpp"

namespace patchbay {

TestTables::TestTables(const std::filesystem::path& folder, const Clock& clock)
    : store_({.url = "sqlite:tables.db", .base = folder, .ballast_bytes = 0}, clock) {
    store_.migrate("core", core_migrations());
}

void TestTables::prepare(const std::string& plugin,
                         const std::vector<tables::Migration>& migrations) {
    tables_.prepare(plugin, migrations);
    plugin_ = plugin;
}

tables::Rows TestTables::query(const tables::Statement& statement) {
    return query_tables(store_, tables_.scope_of(plugin_), statement);
}

std::vector<tables::Rows> TestTables::transact(
    const std::vector<tables::TableStep>& steps,
    const std::function<void(const tables::TableStep&)>& other) {
    const TableScope scope = tables_.scope_of(plugin_);
    std::vector<tables::Rows> rows;
    try {
        rows = store_.write([&](Transaction& tx) {
            std::vector<tables::Rows> all;
            for (const tables::TableStep& step : steps)
                all.push_back(step.statement ? run_statement(tx, scope, *step.statement)
                                             : tables::Rows{});
            return all;
        });
    } catch (const StoreError& error) {
        rethrow_in_terms_of_plugins(error);
    }
    for (const tables::TableStep& step : steps)
        if (!step.statement) other(step);
    return rows;
}

}  // namespace patchbay
