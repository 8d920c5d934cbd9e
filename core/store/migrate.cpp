#include "store/migrate.hpp"

#include <map>

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

void apply(Transaction& transaction, const Clock& clock, const std::string& component,
           const Migration& migration) {
    const TimeMs start = clock.now_ms();
    transaction.run_script(migration.sql);
    if (!has_version_table(transaction))
        refuse("the core's migrations come before those of " + component);
    const TimeMs end = clock.now_ms();
    transaction.run(sql::schema_add, {component, migration.version, migration.name,
                                      hex_sha256(migration.sql), end, end - start});
}

// A large table can take minutes: a line a second says that it is going on.
void apply_and_tell(Store& store, const std::string& component, const Migration& migration,
                    const std::function<void(const std::string&)>& tell) {
    Outcome outcome;
    store.write_async(
        [&](Transaction& transaction) { apply(transaction, store.clock(), component, migration); },
        [&](std::exception_ptr error) { outcome.set(std::move(error)); });
    for (int seconds = 1; !outcome.wait_for(1s); ++seconds)
        tell(", " + std::to_string(seconds) + " s so far");
    outcome.get();
}

}  // namespace

void run_migrations(Store& store, const std::string& component,
                    const std::vector<Migration>& migrations,
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
        apply_and_tell(store, component, *migration, tell);
        tell(", done");
    }
}

}  // namespace patchbay
