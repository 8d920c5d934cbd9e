#include "identity/access.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

Caller caller(const std::string& role, std::vector<std::string> departments = {}) {
    Caller out;
    out.kind = "user";
    out.id = "me";
    out.role = role;
    out.departments = std::move(departments);
    return out;
}

std::string answer(const Caller& who, const std::vector<std::string>& roles) {
    try {
        require_role(who, roles);
    } catch (const Problem& problem) {
        return std::to_string(problem.status) + " " + problem.code;
    }
    return "allowed";
}

}  // namespace

TEST(Access, FollowsTheRolesOfTheRouteS69) {
    Caller key = caller("api");
    key.kind = "key";
    key.scopes = {"messages:read"};
    Caller local;
    local.kind = "local";
    const std::vector<std::string> readers = {"owner", "agent", "api:messages:read"};
    EXPECT_EQ(answer(caller("owner"), readers), "allowed");
    EXPECT_EQ(answer(caller("viewer"), readers), "403 forbidden");
    EXPECT_EQ(answer(key, readers), "allowed");
    EXPECT_EQ(answer(key, {"owner", "api:ops"}), "403 scope_missing");
    EXPECT_EQ(answer(key, {"owner"}), "403 forbidden");
    EXPECT_EQ(answer({}, readers), "401 unauthenticated");
    EXPECT_EQ(answer({}, {"public"}), "allowed");
    EXPECT_EQ(answer(caller("viewer"), {}), "allowed");
    EXPECT_EQ(answer({}, {}), "401 unauthenticated");
    EXPECT_EQ(answer(caller("owner"), {"local"}), "403 forbidden");
    EXPECT_EQ(answer(local, {"local"}), "allowed");
    EXPECT_EQ(answer(local, {"expert"}), "allowed");
}

TEST(Access, ShowsEachRoleItsOwnConversationsS69) {
    const auto reception = std::optional<std::string>("Reception");
    const auto management = std::optional<std::string>("Management");
    EXPECT_TRUE(sight_of(caller("owner")).covers(reception, "general", {}));

    const Sight agent = sight_of(caller("agent", {"Reception"}));
    EXPECT_TRUE(agent.covers(reception, "service", {}));
    EXPECT_FALSE(agent.covers(management, "service", {}));
    EXPECT_TRUE(agent.covers({}, "general", {}));
    EXPECT_FALSE(agent.covers({}, "demo", {})) << "a demo belongs to Management";
    EXPECT_TRUE(sight_of(caller("viewer", {"Management"})).covers({}, "demo", {}));

    const Sight expert = sight_of(caller("expert", {"Reception"}));
    EXPECT_TRUE(expert.covers(reception, "general", "me"));
    EXPECT_FALSE(expert.covers(reception, "general", "other"));
    EXPECT_FALSE(expert.covers(reception, "general", {}));
}

}  // namespace patchbay
