#include "store/plan.hpp"

#include "store/migrations.hpp"
#include "store/statements.hpp"
#include "store/test_store.hpp"

namespace patchbay {
namespace {

class Plans : public StoreTest {
protected:
    Plans() : store_(open()) { store_->migrate("core", core_migrations()); }
    std::vector<std::string> problems(const char* sql, std::initializer_list<const char*> indexes,
                                      bool may_scan = false) {
        const Statement statement{"test", sql, indexes, may_scan};
        return plan_problems(*store_, statement);
    }
    std::unique_ptr<Store> store_;
};

TEST_F(Plans, OfTheStoresOwnStatementsAreGood) {
    for (const Statement* statement : {&sql::schema_applied, &sql::schema_add})
        EXPECT_TRUE(plan_problems(*store_, *statement).empty()) << explain(*store_, *statement);
}

TEST_F(Plans, AcceptTheNamedIndex) {
    EXPECT_TRUE(problems("SELECT id FROM jobs WHERE state='ready' AND queue=$1 AND run_at<=$2 "
                         "ORDER BY priority,run_at,id "
                         "LIMIT $3 {lock}",
                         {"jobs_ready"})
                    .empty());
    EXPECT_TRUE(problems("SELECT body FROM messages WHERE id=$1", {"PRIMARY"}).empty());
    EXPECT_TRUE(problems("SELECT COUNT(*) FROM (SELECT 1 FROM conversations WHERE department=$1 "
                         "ORDER BY last_message_at,id LIMIT $2) n",
                         {"conversations_department"})
                    .empty());
    EXPECT_TRUE(problems("WITH c AS MATERIALIZED (SELECT id FROM jobs WHERE state='unknown' AND "
                         "run_at<=$1 ORDER BY run_at,id "
                         "LIMIT $2 {lock}) UPDATE jobs SET looks=looks+1 WHERE id IN (SELECT id "
                         "FROM c) RETURNING id",
                         {"jobs_unknown", "PRIMARY"})
                    .empty());
}

TEST_F(Plans, ShowATableScan) {
    const auto found = problems("SELECT id FROM messages WHERE body=$1", {});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0], "test: walks it all: SCAN messages");
    EXPECT_TRUE(problems("SELECT name FROM leases WHERE owner=$1", {}, true).empty());
}

TEST_F(Plans, ShowAWalkAlongThePrimaryKey) {
    // The condition of messages_trouble is state IN (..): alone, a parameter does not match it.
    const auto found =
        problems("SELECT id FROM messages WHERE status=$1 AND id<$2 ORDER BY id DESC LIMIT $3",
                 {"messages_trouble"});
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.back(), "test: does not use index messages_trouble");
}

TEST_F(Plans, ShowAnIndexThatIsMadeEachTime) {
    const auto found =
        problems("SELECT a.id FROM templates a JOIN templates b ON b.body=a.body WHERE a.id=$1",
                 {"PRIMARY"});
    ASSERT_FALSE(found.empty());
}

}  // namespace
}  // namespace patchbay
