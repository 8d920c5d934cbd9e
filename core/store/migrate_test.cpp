#include "store/migrations.hpp"
#include "store/test_store.hpp"

namespace patchbay {
namespace {

class Migrations : public StoreTest {
protected:
    static int64_t tables(Store& store) {
        return store.read([](Session& session) {
            return session.run_text("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'")[0]
                .number(0);
        });
    }
    static std::string refusal(Store& store, const std::vector<Migration>& migrations) {
        try {
            store.migrate("core", migrations);
        } catch (const StoreError& error) {
            return error.what();
        }
        return "";
    }
    static std::vector<Migration> with_core(const Migration& more) {
        std::vector<Migration> migrations = core_migrations();
        migrations.push_back(more);
        return migrations;
    }
};

constexpr int64_t tables_of_the_core = 46;

TEST_F(Migrations, MakeTheCoreSchemaOnceG22) {
    const auto store = open();
    std::vector<std::string> lines;
    const auto note = [&](const std::string& line) { lines.push_back(line); };
    store->migrate("core", core_migrations(), note);
    ASSERT_EQ(lines.size(), 2 * core_migrations().size());
    EXPECT_EQ(lines[0],
              "migration 1 of " + std::to_string(core_migrations().size()) + ": core 0001_core");
    EXPECT_EQ(tables(*store), tables_of_the_core);
    lines.clear();
    store->migrate("core", core_migrations(), note);
    EXPECT_TRUE(lines.empty());
}

TEST_F(Migrations, RunOnlyWhatIsMissing) {
    const auto store = open();
    store->migrate("core", core_migrations());
    store->migrate("core", with_core({1000, "1000_things", things_table}));
    EXPECT_EQ(count(*store), 0);
}

TEST_F(Migrations, ReadCommentsAndQuotesAsTheDatabaseDoes) {
    const auto store = open();
    store->migrate("core", with_core({1000, "1000_odd", R"(
-- a comment; with a semicolon and a ' quote
CREATE TABLE odd (a TEXT DEFAULT 'x;y--z', "b;c" {blob}); /* ; ' */
INSERT INTO odd (a) VALUES ('it''s; fine');;
-- the end)"}));
    const auto value =
        store->read([](Session& s) { return s.run_text("SELECT a, typeof(\"b;c\") FROM odd")[0]; });
    EXPECT_EQ(value.text(0), "it's; fine");
}

TEST_F(Migrations, LeaveNothingBehindWhenTheyFail) {
    const auto store = open();
    store->migrate("core", core_migrations());
    EXPECT_NE(refusal(*store, with_core({1000, "1000_bad",
                                         things_table + "; INSERT INTO nowhere VALUES (1)"})),
              "");
    EXPECT_EQ(tables(*store), tables_of_the_core);
    store->migrate("core", with_core({1000, "1000_good", things_table}));
    EXPECT_EQ(count(*store), 0);
}

TEST_F(Migrations, RefuseAChangedOldOneG22) {
    const auto store = open();
    store->migrate("core", with_core({1000, "1000_things", things_table}));
    const std::string text = refusal(*store, with_core({1000, "1000_things", things_table + " "}));
    EXPECT_NE(text.find("1000_things) was changed"), std::string::npos) << text;
}

TEST_F(Migrations, RefuseANewerSchemaG22) {
    const auto store = open();
    store->migrate("core", with_core({1000, "1000_things", things_table}));
    const std::string text = refusal(*store, core_migrations());
    EXPECT_NE(text.find("core schema 1000 (1000_things), which this version does not know"),
              std::string::npos)
        << text;
}

TEST_F(Migrations, OfAPluginKeepTheirOwnNumbers) {
    const auto store = open();
    const std::vector<Migration> plugin{{1, "0001_things", things_table}};
    EXPECT_THROW(store->migrate("hotel_desk", plugin), StoreError) << "the core's come first";
    store->migrate("core", core_migrations());
    store->migrate("hotel_desk", plugin);
    store->migrate("hotel_desk", plugin);
    EXPECT_EQ(count(*store), 0);
}

}  // namespace
}  // namespace patchbay
