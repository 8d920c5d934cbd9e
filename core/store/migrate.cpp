#include "store/migrate.hpp"

#include <map>
#include <set>

#include "base/crypto.hpp"
#include "store/outcome.hpp"
#include "store/statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

struct Applied {
    std::string name;
    std::string sha256;
};

[[noreturn]] void refuse(const std::string& text) {
    throw StoreError(StoreError::Kind::internal, text);
}

std::string hex_sha256(const std::string& text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char c : sha256(text)) {
        hex += digits[static_cast<unsigned char>(c) >> 4];
        hex += digits[static_cast<unsigned char>(c) & 15];
    }
    return hex;
}

// The table of versions is made by the core's first migration, so at the very first start there is
// none.
bool has_version_table(Session& session) {
    return !session
                .run_text(
                    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'")
                .empty();
}

std::map<int64_t, Applied> read_applied(Store& store, const std::string& component) {
    return store.read([&](Session& session) {
        std::map<int64_t, Applied> applied;
        if (!has_version_table(session)) return applied;
        for (const Row& row : session.run(sql::schema_applied, {component}))
            applied[row.number(0)] = {row.text(1), row.text(2)};
        return applied;
    });
}

void check(const std::string& component, const std::map<int64_t, Applied>& applied,
           const std::vector<Migration>& known) {
    for (const auto& [version, what] : applied) {
        const auto found =
            std::find_if(known.begin(), known.end(),
                         [version = version](const Migration& m) { return m.version == version; });
        const std::string title =
            component + " schema " + std::to_string(version) + " (" + what.name + ")";
        if (found == known.end())
            refuse("the database has " + title +
                   ", which this version does not know: it was used by a newer one");
        if (hex_sha256(found->sql) != what.sha256)
            refuse(title +
                   " was changed after it had been applied; put the old text back and add a new "
                   "migration");
    }
}

using Names = std::set<std::string>;

Names names_in(Session& session, const std::string& types) {
    Names names;
    for (const Row& row :
         session.run_text("SELECT lower(name) FROM sqlite_master WHERE type IN (" + types + ")"))
        names.insert(row.text(0));
    return names;
}

TableScope scope_of(Session& session, const std::string& plugin) {
    TableScope scope{.prefix = plugin + "_", .tables = {}};
    for (const Row& row : session.run(sql::plugin_tables_of, {plugin}))
        scope.tables.insert(row.text(0));
    return scope;
}

// What a script made by a roundabout way (RENAME TO) is found here, and undone with it. A table
// that was there before is never the plugin's, IF NOT EXISTS or not.
void run_script_of(Transaction& transaction, const std::string& plugin, const std::string& sql) {
    const TableScope before = scope_of(transaction, plugin);
    const Names all_before = names_in(transaction, "'table','index','view','trigger'");
    transaction.run_script_within(before, sql);
    transaction.run(sql::plugin_tables_clear, {plugin});
    const Names tables = names_in(transaction, "'table'");
    for (const std::string& name : names_in(transaction, "'table','index','view','trigger'")) {
        const bool is_new = !all_before.contains(name) && !name.starts_with("sqlite_");
        if (is_new && !name.starts_with(before.prefix))
            refuse("\"" + name + "\" does not begin with \"" + before.prefix + "\"");
        if (tables.contains(name) && (is_new || before.tables.contains(name)))
            transaction.run(sql::plugin_tables_add, {name, plugin});
    }
}

void apply(Transaction& transaction, const Clock& clock, const std::string& component,
           const Migration& migration, const std::string& plugin) {
    const TimeMs start = clock.now_ms();
    if (plugin.empty())
        transaction.run_script(migration.sql);
    else
        run_script_of(transaction, plugin, migration.sql);
    if (!has_version_table(transaction))
        refuse("the core's migrations come before those of " + component);
    const TimeMs end = clock.now_ms();
    transaction.run(sql::schema_add, {component, migration.version, migration.name,
                                      hex_sha256(migration.sql), end, end - start});
}

// A large table can take minutes: a line a second says that it is going on.
void apply_and_tell(Store& store, const std::string& component, const Migration& migration,
                    const std::string& plugin,
                    const std::function<void(const std::string&)>& tell) {
    Outcome outcome;
    store.write_async(
        [&](Transaction& transaction) {
            apply(transaction, store.clock(), component, migration, plugin);
        },
        [&](std::exception_ptr error) { outcome.set(std::move(error)); });
    for (int seconds = 1; !outcome.wait_for(1s); ++seconds)
        tell(", " + std::to_string(seconds) + " s so far");
    outcome.get();
}

// An empty plugin: the hub's own.
void run_missing(Store& store, const std::string& component,
                 const std::vector<Migration>& migrations, const std::string& plugin,
                 const std::function<void(const std::string&)>& progress) {
    const std::map<int64_t, Applied> applied = read_applied(store, component);
    check(component, applied, migrations);
    std::map<int64_t, const Migration*> missing;
    for (const Migration& migration : migrations)
        if (!applied.contains(migration.version)) missing[migration.version] = &migration;
    size_t count = 0;
    for (const auto& [version, migration] : missing) {
        const std::string title = "migration " + std::to_string(++count) + " of " +
                                  std::to_string(missing.size()) + ": " + component + " " +
                                  migration->name;
        const auto tell = [&](const std::string& state) {
            if (progress) progress(title + state);
        };
        tell("");
        apply_and_tell(store, component, *migration, plugin, tell);
        tell(", done");
    }
}

}  // namespace

void run_migrations(Store& store, const std::string& component,
                    const std::vector<Migration>& migrations,
                    const std::function<void(const std::string&)>& progress) {
    run_missing(store, component, migrations, "", progress);
}

TableScope run_plugin_migrations(Store& store, const std::string& plugin,
                                 const std::vector<Migration>& migrations) {
    run_missing(store, "plugin:" + plugin, migrations, plugin, {});
    return store.read([&](Session& session) { return scope_of(session, plugin); });
}

}  // namespace patchbay
