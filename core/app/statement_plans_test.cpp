// Every statement of the hub, planned on an empty schema: SQLite chooses by rule there, so what it
// chooses holds for any number of rows.
#include <gtest/gtest.h>

#include <filesystem>

#include "delivery/erasure_statements.hpp"
#include "delivery/sight_statements.hpp"
#include "delivery/statements.hpp"
#include "delivery/task_statements.hpp"
#include "delivery/webhook_statements.hpp"
#include "flows/statements.hpp"
#include "identity/statements.hpp"
#include "inbound/replay_statements.hpp"
#include "inbound/statements.hpp"
#include "messaging/sight_statements.hpp"
#include "messaging/statements.hpp"
#include "plugins/services/kv_statements.hpp"
#include "store/migrations.hpp"
#include "store/plan.hpp"

namespace patchbay {
namespace {

TEST(Statements, UseTheirIndexesAndWalkNoTable) {
    std::string name = testing::TempDir() + "plans_XXXXXX";
    const std::filesystem::path folder = mkdtemp(name.data());
    SystemClock clock;
    {
        Store store{{.url = "sqlite:plans.db", .base = folder}, clock};
        store.migrate("core", core_migrations());
        for (const Statement* statement : Statement::all()) {
            SCOPED_TRACE(statement->name);
            for (const std::string& problem : plan_problems(store, *statement)) {
                ADD_FAILURE() << problem << "\n" << explain(store, *statement);
            }
        }
    }
    std::filesystem::remove_all(folder);
}

TEST(Statements, HaveNamesOfTheirOwn) {
    std::set<std::string> names;
    for (const Statement* statement : Statement::all()) {
        EXPECT_TRUE(names.insert(statement->name).second) << statement->name;
    }
    EXPECT_GT(names.size(), 90u);  // The registry really holds those of every folder.
}

}  // namespace
}  // namespace patchbay
