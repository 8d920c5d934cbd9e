// /api/v1/api-keys
#include "api/test_api.hpp"

namespace patchbay {
namespace {

class Keys : public ApiTest {
protected:
    std::string admin_ = token_for("admin");
    Answer make(const std::string& body) { return post("/api/v1/api-keys", body, admin_); }
    Answer remove(const std::string& id, const std::string& token) {
        return call({.method = "DELETE", .target = "/api/v1/api-keys/" + id, .token = token});
    }
};

TEST_F(Keys, AreShownOnceS66) {
    const Answer made = make(
        R"({"name":"Shop","scopes":["messages:read"],"departments":["reception"],"expires_at":"2030-01-01T00:00:00Z"})");
    ASSERT_EQ(made.status(), 201) << made.response.body;
    const std::string key = made.text("key");
    EXPECT_TRUE(key.starts_with("pb_live_"));
    EXPECT_EQ(made.text("departments.0"), "Reception");
    EXPECT_EQ(made.response.header("location"), "/api/v1/api-keys/" + made.text("id"));
    const Answer list = get("/api/v1/api-keys", admin_);
    ASSERT_EQ(list.count("items"), 1u);
    EXPECT_EQ(list.text("items.0.prefix"), key.substr(0, 14));
    EXPECT_EQ(list.text("items.0.expires_at"), "2030-01-01T00:00:00.000Z");
    EXPECT_EQ(list.response.body.find(key), std::string::npos);
    EXPECT_EQ(get("/api/v1/audit", admin_).response.body.find(key), std::string::npos);
}

TEST_F(Keys, AreNotKeptForARepeatS66) {
    const std::string body = R"({"name":"Shop","scopes":[]})";
    const Answer first = post("/api/v1/api-keys", body, admin_, "once");
    const Answer again = post("/api/v1/api-keys", body, admin_, "once");
    EXPECT_EQ(again.status(), 201);
    EXPECT_EQ(again.text("id"), first.text("id"));
    EXPECT_NE(first.text("key"), "");
    EXPECT_EQ(again.text("key"), "") << "that would be a second showing";
    EXPECT_EQ(get("/api/v1/api-keys", admin_).count("items"), 1u);
}

TEST_F(Keys, DoWhatTheirScopesSayInTheirDepartmentsS66) {
    const std::string ours = talk({.number = "+15558675310", .department = "Reception"});
    const std::string theirs = talk({.number = "+15558675311", .department = "Housekeeping"});
    const std::string key =
        make(R"({"name":"S","scopes":["messages:read"],"departments":["Reception"]})").text("key");
    EXPECT_EQ(get("/api/v1/conversations", key).count("items"), 1u);
    EXPECT_EQ(get("/api/v1/conversations/" + ours, key).status(), 200);
    EXPECT_EQ(get("/api/v1/conversations/" + theirs, key).status(), 404);
    const Answer refused =
        post("/api/v1/conversations/" + ours + "/messages", R"({"text":"x"})", key);
    EXPECT_EQ(refused.status(), 403);
    EXPECT_EQ(refused.text("code"), "scope_missing");
    EXPECT_EQ(get("/api/v1/users", key).text("code"), "forbidden");
    const std::string all = make(R"({"name":"S","scopes":["messages:read"]})").text("key");
    EXPECT_EQ(get("/api/v1/conversations", all).count("items"), 2u);
    EXPECT_EQ(
        call({.target = "/api/v1/conversations", .headers = {{"X-API-Key", all}}}).count("items"),
        2u);
}

TEST_F(Keys, EndAtOnceAndLeaveARecordS66S84) {
    const Answer made = make(R"({"name":"Shop","scopes":["messages:read"]})");
    EXPECT_EQ(get("/api/v1/messages", made.text("key")).status(), 200);
    EXPECT_EQ(remove(made.text("id"), admin_).status(), 204);
    EXPECT_EQ(get("/api/v1/messages", made.text("key")).status(), 401);
    EXPECT_EQ(remove(made.text("id"), admin_).status(), 404);
    EXPECT_EQ(get("/api/v1/api-keys", admin_).count("items"), 0u);
    const Answer list = get("/api/v1/audit?object_type=api_key&object=" + made.text("id"), admin_);
    ASSERT_EQ(list.count("items"), 2u);
    EXPECT_EQ(list.text("items.0.action"), "api_key.revoke");
    EXPECT_EQ(list.text("items.0.before.name"), "Shop");
    EXPECT_EQ(list.text("items.1.action"), "api_key.create");
}

TEST_F(Keys, OfOwnersAreNotForAdminsToEnd) {
    const std::string owner = token_for("owner");
    const Answer made = post("/api/v1/api-keys", R"({"name":"Shop","scopes":[]})", owner);
    EXPECT_EQ(remove(made.text("id"), admin_).status(), 403);
    EXPECT_EQ(remove(made.text("id"), owner).status(), 204);
}

TEST_F(Keys, AreRefusedWithAReason) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"scopes":[]})", "/name"},
        {R"({"name":"S"})", "/scopes"},
        {R"({"name":"S","scopes":["ops","root"]})", "/scopes/1"},
        {R"({"name":"S","scopes":[],"expires_at":"soon"})", "/expires_at"},
        {R"({"name":"S","scopes":[],"expires_at":"2020-01-01T00:00:00Z"})", "/expires_at"},
        {R"({"name":"S","scopes":[],"departments":["Moon"]})", "/departments"},
        {R"({"name":"S","scopes":[],"user_id":"x"})", "/user_id"},
    };
    for (const auto& [body, pointer] : cases) {
        const Answer answer = make(body);
        EXPECT_EQ(answer.status(), 422) << body;
        EXPECT_EQ(answer.text("errors.0.pointer"), pointer) << answer.response.body;
    }
}

}  // namespace
}  // namespace patchbay
