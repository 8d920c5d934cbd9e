#include "plugins/services/plugin_tables.hpp"

#include <patchbay/errors.hpp>

namespace patchbay {
namespace {

Value value_of(const tables::Cell& cell) {
    if (cell.integer) return *cell.integer;
    if (cell.real) return *cell.real;
    if (cell.text) return *cell.text;
    if (cell.blob) return Blob{cell.blob->data};
    return {};
}

tables::Cell cell_of(const Value& value) {
    struct Maker {
        tables::Cell operator()(std::monostate) const { return {}; }
        tables::Cell operator()(int64_t number) const { return number; }
        tables::Cell operator()(double number) const { return number; }
        tables::Cell operator()(const std::string& text) const { return text; }
        tables::Cell operator()(const Blob& blob) const {
            tables::Cell cell;
            cell.blob = wire::Bytes{blob.bytes};
            return cell;
        }
    };
    return std::visit(Maker{}, value);
}

Values values_of(const tables::Statement& statement) {
    Values values;
    for (const tables::Cell& cell : statement.params) values.push_back(value_of(cell));
    return values;
}

tables::Rows rows_of(const ScopedResult& result) {
    tables::Rows rows{.columns = result.columns, .rows = {}, .changed = result.changed};
    for (const Row& from : result.rows) {
        tables::Row& row = rows.rows.emplace_back();
        for (size_t column = 0; column < from.size(); ++column)
            row.cells.push_back(cell_of(from.value(column)));
    }
    return rows;
}

}  // namespace

tables::Rows run_statement(Transaction& tx, const TableScope& scope,
                           const tables::Statement& statement) {
    const ScopedResult result = tx.run_within(scope, statement.sql, values_of(statement));
    if (statement.expect_changed && *statement.expect_changed != result.changed)
        throw Error(ErrorKind::conflict, "a statement changed " + std::to_string(result.changed) +
                                             " rows, not " +
                                             std::to_string(*statement.expect_changed));
    return rows_of(result);
}

tables::Rows query_tables(Store& store, const TableScope& scope,
                          const tables::Statement& statement) {
    try {
        const auto read = store.read([&](Session& session) -> std::optional<ScopedResult> {
            if (statement.expect_changed || session.changes_within(scope, statement.sql))
                return std::nullopt;
            return session.run_within(scope, statement.sql, values_of(statement));
        });
        if (read) return rows_of(*read);
        return store.write([&](Transaction& tx) { return run_statement(tx, scope, statement); });
    } catch (const StoreError& error) {
        rethrow_in_terms_of_plugins(error);
    }
}

void rethrow_in_terms_of_plugins(const StoreError& error) {
    switch (error.kind) {
        case StoreError::Kind::refused:
            throw Error(ErrorKind::request, error.what());
        case StoreError::Kind::constraint:
            throw Error(ErrorKind::conflict, error.what());
        case StoreError::Kind::internal:
        case StoreError::Kind::corrupt:
            throw Error(ErrorKind::internal, error.what());
        case StoreError::Kind::unavailable:
        case StoreError::Kind::full:
            break;
    }
    throw Error(ErrorKind::unavailable, error.what());
}

void PluginTables::prepare(const std::string& plugin,
                           const std::vector<tables::Migration>& migrations) {
    std::vector<Migration> wanted;
    for (const tables::Migration& one : migrations)
        wanted.push_back({one.version, one.name, one.sql});
    try {
        TableScope scope = store_.migrate_plugin(plugin, wanted);
        const std::lock_guard lock(mutex_);
        scopes_[plugin] = std::move(scope);
    } catch (const StoreError& error) {
        throw Error(ErrorKind::config,
                    "the plugin's tables could not be made: " + std::string(error.what()));
    }
}

TableScope PluginTables::scope_of(const std::string& plugin) const {
    const std::lock_guard lock(mutex_);
    const auto found = scopes_.find(plugin);
    return found == scopes_.end() ? TableScope{.prefix = plugin + "_", .tables = {}}
                                  : found->second;
}

}  // namespace patchbay
