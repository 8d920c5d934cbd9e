#include "store/migrations.hpp"
#include "store/test_store.hpp"

namespace patchbay {
namespace {

const Migration rooms_1{1, "rooms",
                        "CREATE TABLE rooms_rooms (id BIGINT PRIMARY KEY, name TEXT NOT NULL);"
                        "CREATE UNIQUE INDEX rooms_rooms_name ON rooms_rooms (name)"};

class PluginTables : public StoreTest {
protected:
    PluginTables() {
        store->migrate("core", core_migrations());
        scope = store->migrate_plugin("rooms", {rooms_1});
    }
    ScopedResult write(const std::string& sql, const Values& parameters = {}) {
        return store->write([&](Transaction& tx) { return tx.run_within(scope, sql, parameters); });
    }
    ScopedResult read(const std::string& sql, const Values& parameters = {}) {
        return store->read(
            [&](Session& session) { return session.run_within(scope, sql, parameters); });
    }
    std::string refusal(const std::function<void()>& work) {
        try {
            work();
        } catch (const StoreError& error) {
            return error.kind == StoreError::Kind::refused ? error.what() : "of another kind";
        }
        return "";
    }
    std::string refusal_of_script(const std::string& sql) {
        try {
            store->migrate_plugin("rooms", {rooms_1, {2, "more", sql}});
        } catch (const StoreError& error) {
            return error.what();
        }
        return "";
    }

    std::unique_ptr<Store> store = open();
    TableScope scope;
};

TEST_F(PluginTables, AreMadeOnceAndHoldRows) {
    EXPECT_EQ(scope.prefix, "rooms_");
    EXPECT_EQ(scope.tables, std::set<std::string>{"rooms_rooms"});
    EXPECT_EQ(store->migrate_plugin("rooms", {rooms_1}).tables, scope.tables);
    EXPECT_EQ(write("INSERT INTO rooms_rooms VALUES ($1, $2), ($3, $4)",
                    {int64_t{1}, "Blue", int64_t{2}, "Green"})
                  .changed,
              2u);
    const ScopedResult all = read("SELECT name, id FROM rooms_rooms ORDER BY id");
    EXPECT_EQ(all.columns, (std::vector<std::string>{"name", "id"}));
    ASSERT_EQ(all.rows.size(), 2u);
    EXPECT_EQ(all.rows[1].text(0), "Green");
    EXPECT_EQ(all.changed, 0u);
    EXPECT_EQ(read("SELECT AVG(id) FROM rooms_rooms").rows[0].value(0), Value{1.5});
    EXPECT_TRUE(store->read([&](Session& session) {
        return session.changes_within(scope, "DELETE FROM rooms_rooms") &&
               !session.changes_within(scope, "SELECT id FROM rooms_rooms");
    }));
}

const char* const strange_statements[] = {
    "SELECT email FROM users",
    "SELECT COUNT(*) FROM messages",
    "SELECT id FROM rooms_rooms WHERE name IN (SELECT name FROM users)",
    "WITH x AS (SELECT email FROM users) SELECT email FROM x",
    "SELECT id, (SELECT MAX(email) FROM users) FROM rooms_rooms",
    "SELECT name FROM sqlite_master",
    "SELECT name FROM pragma_table_info('users')",
    "INSERT INTO rooms_rooms SELECT number, email FROM users",
    "INSERT INTO users (id) VALUES ('me')",
    "UPDATE rooms_rooms SET name = (SELECT MAX(email) FROM users)",
    "UPDATE users SET role = 'owner'",
    "DELETE FROM messages",
    "REPLACE INTO schema_version VALUES (1)",
    "CREATE TABLE rooms_more (id BIGINT)",
    "DROP TABLE rooms_rooms",
    "ALTER TABLE rooms_rooms RENAME TO users_2",
    "PRAGMA writable_schema = ON",
    "ATTACH 'other.db' AS other",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT mine",
    "VACUUM",
    "SELECT id FROM rooms_rooms; DELETE FROM messages",
    "SELECT $2, $1",
    "no SQL at all",
    "",
};

TEST_F(PluginTables, AreAllThatAStatementOfThePluginCanTouch) {
    for (const char* sql : strange_statements) {
        SCOPED_TRACE(sql);
        EXPECT_NE(refusal([&] { write(sql); }), "");
        EXPECT_NE(refusal([&] { read(sql); }), "");
    }
    // Prepared for the hub itself, and still not for the plugin.
    store->read([](Session& session) { return session.run_text("SELECT email FROM users"); });
    EXPECT_EQ(
        refusal([&] { read("SELECT email FROM users"); }),
        "\"users\" is not a table of this plugin, whose tables begin with \"rooms_\", or this "
        "is not allowed with it");
}

const char* const strange_scripts[] = {
    "CREATE TABLE users_of_rooms (id BIGINT)",
    "CREATE TABLE rooms_2 AS SELECT email FROM users",
    "ALTER TABLE rooms_rooms RENAME TO messages_2",
    "ALTER TABLE users ADD COLUMN mine TEXT",
    "CREATE INDEX rooms_i ON users (email)",
    "CREATE INDEX i ON rooms_rooms (id)",
    "DROP TABLE users",
    "DROP INDEX plugin_tables_plugin",
    "CREATE TRIGGER rooms_t AFTER INSERT ON users BEGIN DELETE FROM users; END",
    "CREATE TRIGGER rooms_t AFTER INSERT ON rooms_rooms BEGIN DELETE FROM users; END",
    "CREATE VIEW rooms_v AS SELECT email FROM users",
    "CREATE TEMP TABLE rooms_t (id BIGINT)",
    "CREATE VIRTUAL TABLE rooms_f USING fts5(a)",
    "INSERT INTO sqlite_master VALUES ('table', 'x', 'x', 0, '')",
    "DELETE FROM users",
    "PRAGMA foreign_keys = OFF",
};

TEST_F(PluginTables, AreAllThatItsMigrationsCanMake) {
    for (const char* sql : strange_scripts) {
        SCOPED_TRACE(sql);
        EXPECT_NE(refusal_of_script(sql), "");
    }
    const TableScope now = store->migrate_plugin(
        "rooms", {rooms_1,
                  {2, "more",
                   "ALTER TABLE rooms_rooms ADD COLUMN floor BIGINT NOT NULL DEFAULT 0;"
                   "CREATE TABLE rooms_keys (room BIGINT REFERENCES rooms_rooms (id));"
                   "DROP INDEX rooms_rooms_name;"
                   "ALTER TABLE rooms_keys RENAME TO rooms_cards"}});
    EXPECT_EQ(now.tables, (std::set<std::string>{"rooms_cards", "rooms_rooms"}));
}

TEST_F(PluginTables, OfOnePluginAreNoOtherPluginsWhoseNameBeginsAlike) {
    const TableScope other = store->migrate_plugin(
        "rooms_plus", {{1, "first", "CREATE TABLE rooms_plus_extras (id BIGINT)"}});
    EXPECT_EQ(other.tables, std::set<std::string>{"rooms_plus_extras"});
    EXPECT_NE(refusal([&] { read("SELECT id FROM rooms_plus_extras"); }), "");
    EXPECT_NE(refusal_of_script("DROP TABLE rooms_plus_extras"), "");
    EXPECT_EQ(refusal_of_script("CREATE TABLE IF NOT EXISTS rooms_plus_extras (id BIGINT)"), "");
    EXPECT_EQ(store->read([](Session& session) {
        return session.run_text("SELECT plugin FROM plugin_tables ORDER BY name")[0].text(0);
    }),
              "rooms_plus");
    // Nor does a plugin get a table of the hub because it has the right name.
    EXPECT_EQ(
        store
            ->migrate_plugin("contact",
                             {{1, "first", "CREATE TABLE IF NOT EXISTS contact_merges (a INT)"}})
            .tables,
        std::set<std::string>{});
}

TEST_F(PluginTables, ThatWereMadeByANewerPluginAreNotUsedByAnOlderOneG22) {
    store->migrate_plugin("rooms", {rooms_1, {2, "more", "CREATE TABLE rooms_more (id BIGINT)"}});
    EXPECT_THROW(store->migrate_plugin("rooms", {rooms_1}), StoreError);
}

const std::string endless =
    "INSERT INTO rooms_rooms SELECT id, id FROM (WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL "
    "SELECT id + 1 FROM n) SELECT id FROM n)";

TEST_F(PluginTables, OfAPluginThatWritesForEverHoldUpTheOthersForASecond) {
    std::vector<std::string> told(3);
    {
        HeldWriter held(*store);
        const auto add = [&](size_t place, const std::string& sql) {
            store->write_async([this, sql](Transaction& tx) { tx.run_within(scope, sql, {}); },
                               [&told, place](std::exception_ptr error) {
                                   try {
                                       if (error) std::rethrow_exception(error);
                                       told[place] = "done";
                                   } catch (const std::exception& why) {
                                       told[place] = why.what();
                                   }
                               });
        };
        add(0, "INSERT INTO rooms_rooms VALUES (1000000001, 'before')");
        add(1, endless);
        add(2, "INSERT INTO rooms_rooms VALUES (1000000002, 'behind')");
    }
    store->write([](Transaction&) {});
    EXPECT_EQ(told[0], "done");
    EXPECT_EQ(told[1], "a statement took longer than a second");
    EXPECT_EQ(told[2], "done");
    EXPECT_EQ(read("SELECT id FROM rooms_rooms").rows.size(), 2u);
}

TEST_F(PluginTables, GiveTenThousandRowsAtMost) {
    EXPECT_EQ(refusal([&] {
                  read(
                      "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id "
                      "FROM n");
              }),
              "a statement gives more than 10,000 rows: say LIMIT");
}

}  // namespace
}  // namespace patchbay
