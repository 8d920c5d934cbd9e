// Signing in and managing users.
#include "api/test_api.hpp"

namespace patchbay {
namespace {

class People : public ApiTest {};

TEST_F(People, SignInAndSeeThemselves) {
    token_for("agent", {"Reception"});
    const Answer in = post("/api/v1/auth/login",
                           R"({"email":"Agent1@x.org","password":"correct horse battery"})", "");
    ASSERT_EQ(in.status(), 200) << in.response.body;
    EXPECT_EQ(in.text("token_type"), "Bearer");
    EXPECT_EQ(in.text("user.departments.0"), "Reception");
    const Answer me = get("/api/v1/auth/me", in.text("token"));
    EXPECT_EQ(me.status(), 200);
    EXPECT_EQ(me.text("email"), "agent1@x.org");
    EXPECT_EQ(me.text("active"), "true");
    EXPECT_EQ(me.response.body.find("password"), std::string::npos);
}

TEST_F(People, AreToldWhatIsMissing) {
    const Answer none = get("/api/v1/auth/me", "");
    EXPECT_EQ(none.status(), 401);
    EXPECT_EQ(none.text("code"), "unauthenticated");
    EXPECT_EQ(none.response.header("www-authenticate"), "Bearer");
    EXPECT_EQ(get("/api/v1/auth/me", "nonsense").status(), 401);
    const Answer wrong =
        post("/api/v1/auth/login", R"({"email":"a@x.org","password":"wrong horse battery"})", "");
    EXPECT_EQ(wrong.status(), 401);
    EXPECT_EQ(wrong.text("code"), "invalid_credentials");
    EXPECT_EQ(post("/api/v1/auth/login", R"({"email":"a@x.org"})", "").status(), 422);
}

TEST_F(People, AreAddedByAdminsAndInvited) {
    const std::string admin = token_for("admin");
    const Answer added = post(
        "/api/v1/users",
        R"({"email":"bo@x.org","name":"Bo Lind","role":"agent","departments":["room-service"]})",
        admin);
    ASSERT_EQ(added.status(), 201) << added.response.body;
    EXPECT_EQ(added.text("departments.0"), "Room Service");
    EXPECT_EQ(added.response.header("location"), "/api/v1/users/" + added.text("id"));
    const std::string link = added.text("invite_url");
    ASSERT_TRUE(link.starts_with("https://hub.example/invite#")) << link;
    const std::string ticket = link.substr(link.find('#') + 1);
    EXPECT_EQ(
        post("/api/v1/auth/invite", R"({"ticket":")" + ticket + R"(","password":"short"})", "")
            .status(),
        422);
    const Answer in = post("/api/v1/auth/invite",
                           R"({"ticket":")" + ticket + R"(","password":"a long enough one"})", "");
    EXPECT_EQ(in.status(), 200) << in.response.body;
    EXPECT_EQ(get("/api/v1/auth/me", in.text("token")).text("name"), "Bo Lind");
    EXPECT_EQ(get("/api/v1/users", admin).count("items"), 2u);
    EXPECT_EQ(get("/api/v1/users/" + added.text("number"), admin).text("id"), added.text("id"));
}

TEST_F(People, AreRefusedWithAReason) {
    const std::string admin = token_for("admin");
    struct Case {
        const char* name;
        std::string body;
        int status;
        std::string code;
    };
    const Case cases[] = {
        {"taken", R"({"email":"admin1@x.org","name":"A","role":"agent"})", 409, "email_taken"},
        {"no address", R"({"email":"bo","name":"A","role":"agent"})", 422, "invalid_field"},
        {"role", R"({"email":"b@x.org","name":"A","role":"king"})", 422, "invalid_field"},
        {"owner by admin", R"({"email":"b@x.org","name":"A","role":"owner"})", 403, "forbidden"},
        {"department", R"({"email":"b@x.org","name":"A","role":"agent","departments":["Moon"]})",
         422, "unknown_department"},
        {"password", R"({"email":"b@x.org","name":"A","role":"agent","password":"short"})", 422,
         "invalid_field"},
        {"unknown field", R"({"email":"b@x.org","name":"A","role":"agent","token_version":9})", 422,
         "unknown_field"},
    };
    for (const auto& [name, body, status, code] : cases) {
        SCOPED_TRACE(name);
        const Answer answer = post("/api/v1/users", body, admin);
        EXPECT_EQ(answer.status(), status) << answer.response.body;
        EXPECT_EQ(answer.text("code"), code);
    }
    EXPECT_EQ(post("/api/v1/users", R"({"email":"b@x.org","name":"A","role":"agent"})",
                   token_for("agent"))
                  .status(),
              403);
}

TEST_F(People, KeepTheirRoleWhereTheNewOneIsNone) {
    const std::string owner = token_for("owner");
    const std::string id = get("/api/v1/auth/me", owner).text("id");
    for (const std::string role : {"", "king"}) {
        const Answer refused = call({.method = "PATCH",
                                     .target = "/api/v1/users/" + id,
                                     .body = R"({"role":")" + role + R"("})",
                                     .token = owner});
        EXPECT_EQ(refused.status(), 422) << role;
        EXPECT_EQ(refused.text("errors.0.pointer"), "/role") << role;
    }
    EXPECT_EQ(get("/api/v1/auth/me", owner).text("role"), "owner");
}

TEST_F(People, LoseTheirTokensWhenTheyAreDisabledS65) {
    const std::string admin = token_for("admin");
    const std::string agent = token_for("agent");
    const std::string id = get("/api/v1/auth/me", agent).text("id");
    const Answer changed = call({.method = "PATCH",
                                 .target = "/api/v1/users/" + id,
                                 .body = R"({"active":false})",
                                 .token = admin});
    EXPECT_EQ(changed.status(), 200) << changed.response.body;
    EXPECT_EQ(changed.text("active"), "false");
    EXPECT_EQ(get("/api/v1/auth/me", agent).status(), 401);
}

TEST_F(People, GetTokensFromTheLocalOperatorOnly) {
    token_for("agent");
    const std::string target = "/api/v1/users/agent1@x.org/token";
    EXPECT_EQ(post(target, R"({"ttl":"5m"})", token_for("owner")).status(), 403);
    HttpRequest request;
    request.method = "POST";
    request.path = request.target = target;
    request.body = R"({"ttl":"5m"})";
    request.headers.push_back({"Content-Type", "application/json"});
    const Response made = call_locally(router_, context_, request);
    EXPECT_EQ(made.status, 201) << made.body;
    const auto token = text_at(parse_json_object(std::string_view(made.body)), "token");
    EXPECT_EQ(get("/api/v1/auth/me", token.value_or("")).text("email"), "agent1@x.org");
}

}  // namespace
}  // namespace patchbay
