#include "delivery/statements.hpp"

#include <set>

#include "delivery/delivery_fixture.hpp"
#include "store/plan.hpp"

namespace patchbay {
namespace {

using DeliveryStatements = DeliveryTest;

// Other folders test theirs.
bool is_of_this_folder(std::string_view name) {
    static constexpr std::string_view groups[] = {"lane.",
                                                  "job.",
                                                  "unknown.",
                                                  "attempt.",
                                                  "status.",
                                                  "part.",
                                                  "channel.",
                                                  "worker.",
                                                  "node.",
                                                  "inv.",
                                                  "message.by_client_ref",
                                                  "conversation.opened"};
    return std::any_of(std::begin(groups), std::end(groups),
                       [&](std::string_view group) { return name.starts_with(group); });
}

TEST_F(DeliveryStatements, UseTheIndexTheyNameAndWalkNoTable) {
    size_t checked = 0;
    for (const Statement* statement : Statement::all()) {
        if (!is_of_this_folder(statement->name)) continue;
        ++checked;
        EXPECT_EQ(plan_problems(store, *statement), std::vector<std::string>{});
    }
    EXPECT_GT(checked, 50u);
}

TEST_F(DeliveryStatements, HaveNamesOfTheirOwn) {
    std::set<std::string> names;
    for (const Statement* statement : Statement::all()) {
        EXPECT_TRUE(names.insert(statement->name).second) << statement->name;
    }
}

}  // namespace
}  // namespace patchbay
