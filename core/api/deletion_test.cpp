// Users that go for good, and the departments they leave.
#include "api/test_api.hpp"

namespace patchbay {
namespace {

class Deletion : public ApiTest {
protected:
    std::string id_of(const std::string& token) { return get("/api/v1/auth/me", token).text("id"); }
    Answer remove(const std::string& id, const std::string& token) {
        return call({.method = "DELETE", .target = "/api/v1/users/" + id, .token = token});
    }
    std::string owner_ = token_for("owner");
};

TEST_F(Deletion, OfAUserNothingRefersTo) {
    const std::string agent = token_for("agent", {"Reception"});
    const std::string id = id_of(agent);
    const Answer gone = remove(id, owner_);
    EXPECT_EQ(gone.status(), 204) << gone.response.body;
    EXPECT_EQ(gone.response.body, "");
    EXPECT_EQ(get("/api/v1/users/" + id, owner_).status(), 404);
    EXPECT_EQ(get("/api/v1/auth/me", agent).status(), 401) << "the token has nobody any more";
    EXPECT_EQ(remove(id, owner_).status(), 404);
}

TEST_F(Deletion, IsRefusedWhileSomethingRefersToTheUser) {
    const std::string writer = token_for("agent", {"Reception"});
    const std::string assignee = token_for("agent", {"Reception"});
    const std::string conversation = talk({.number = "+15558675310", .department = "Reception"});
    const std::string path = "/api/v1/conversations/" + conversation;
    ASSERT_EQ(post(path + "/messages", R"({"text":"Hi"})", writer).status(), 202);
    ASSERT_EQ(
        post(path + "/assign", R"({"assignee":")" + id_of(assignee) + R"("})", owner_).status(),
        200);
    EXPECT_EQ(remove(id_of(writer), owner_).text("code"), "referenced");
    EXPECT_EQ(remove(id_of(assignee), owner_).status(), 409);
    EXPECT_EQ(get("/api/v1/auth/me", writer).status(), 200) << "nothing was changed";
}

TEST_F(Deletion, LeavesAnOwnerAndIsForThoseWhoMay) {
    const std::string admin = token_for("admin");
    EXPECT_EQ(remove(id_of(owner_), owner_).text("code"), "last_owner");
    EXPECT_EQ(remove(id_of(owner_), admin).status(), 403) << "an admin deletes no owners";
    const std::string second = token_for("owner");
    EXPECT_EQ(remove(id_of(second), owner_).status(), 204);
    for (const char* role : {"agent", "viewer", "expert"}) {
        EXPECT_EQ(remove(id_of(admin), token_for(role)).status(), 403) << role;
    }
}

TEST_F(Deletion, ShowsInTheMembersOfADepartment) {
    const std::string agent = token_for("agent", {"Reception", "Room Service"});
    token_for("viewer", {"Reception"});
    const Answer before = get("/api/v1/departments", agent);
    ASSERT_EQ(before.status(), 200) << before.response.body;
    EXPECT_EQ(before.count("items"), 4u);
    EXPECT_EQ(before.text("items.0.name"), "Reception");
    EXPECT_EQ(before.text("items.0.members"), "2");
    EXPECT_EQ(before.text("items.2.slug"), "room-service");
    EXPECT_EQ(before.text("items.2.members"), "1");
    remove(id_of(agent), owner_);
    EXPECT_EQ(get("/api/v1/departments", owner_).text("items.0.members"), "1");
    EXPECT_EQ(get("/api/v1/departments?x=1", owner_).text("code"), "unknown_parameter");
    EXPECT_EQ(get("/api/v1/departments", "").status(), 401);
}

}  // namespace
}  // namespace patchbay
