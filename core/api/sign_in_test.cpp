// /api/v1/auth/ as a dashboard uses it: tokens, the cookie, foreign pages.
#include "api/test_api.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class SignIn : public ApiTest {
protected:
    SignIn() { token_for("admin"); }

    Answer login(const std::string& more = "") {
        return post("/api/v1/auth/login",
                    R"({"email":"admin1@x.org","password":"correct horse battery")" + more + "}",
                    "");
    }
    /// "__Host-pb=..." of an answer's Set-Cookie.
    static std::string cookie_of(const Answer& answer) {
        const auto header = answer.response.header("set-cookie");
        return header.substr(0, header.find(';'));
    }
    Answer by_cookie(const std::string& cookie, const std::string& method,
                     const std::string& target, const std::string& body = {},
                     std::vector<HttpHeader> headers = {{"Sec-Fetch-Site", "same-origin"}}) {
        headers.push_back({"Cookie", cookie});
        return call({.method = method, .target = target, .body = body, .headers = headers});
    }
};

TEST_F(SignIn, GivesATokenAndOnRequestACookieS63) {
    EXPECT_EQ(cookie_of(login()), "");
    EXPECT_EQ(cookie_of(login(R"(,"session":false)")), "");
    const Answer in = login(R"(,"session":true)");
    ASSERT_EQ(in.status(), 200) << in.response.body;
    const std::string cookie = cookie_of(in);
    EXPECT_TRUE(cookie.starts_with("__Host-pb=")) << cookie;
    const auto whole = in.response.header("set-cookie");
    for (const char* part : {"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"}) {
        EXPECT_NE(whole.find(part), std::string::npos) << part;
    }
    EXPECT_EQ(whole.find("Domain"), std::string::npos);
    EXPECT_EQ(in.response.body.find(cookie.substr(10)), std::string::npos);
    EXPECT_EQ(by_cookie(cookie, "GET", "/api/v1/auth/me").text("email"), "admin1@x.org");
    EXPECT_EQ(login(R"(,"session":"yes")").status(), 422);
}

TEST_F(SignIn, HasTheShapeOfTheDesign) {
    const Answer in = login();
    for (const char* key :
         {"token", "token_type", "expires_at", "user.id", "user.number", "user.email", "user.name",
          "user.role", "user.active", "user.created_at"}) {
        EXPECT_NE(in.text(key), "") << key;
    }
    EXPECT_EQ(in.json->size(), 4u);
}

TEST_F(SignIn, IsRenewedByTokenAndByCookie) {
    const Answer in = login(R"(,"session":true)");
    clock_.advance(1h);
    const Answer by_token = post("/api/v1/auth/refresh", "", in.text("token"));
    ASSERT_EQ(by_token.status(), 200) << by_token.response.body;
    EXPECT_NE(by_token.text("token"), in.text("token"));
    EXPECT_GT(by_token.text("expires_at"), in.text("expires_at"));
    EXPECT_EQ(by_token.text("user.email"), "admin1@x.org");
    const Answer by_session = by_cookie(cookie_of(in), "POST", "/api/v1/auth/refresh");
    ASSERT_EQ(by_session.status(), 200) << by_session.response.body;
    EXPECT_EQ(get("/api/v1/auth/me", by_session.text("token")).status(), 200);
    EXPECT_EQ(get("/api/v1/auth/me", in.text("token")).status(), 200) << "the old one lives on";
    EXPECT_EQ(post("/api/v1/auth/refresh", "", "").text("code"), "unauthenticated");
}

TEST_F(SignIn, EndsTokenAndCookieAtOnce) {
    const Answer in = login(R"(,"session":true)");
    const Answer other = login();
    const std::string cookie = cookie_of(in);
    const Answer out = by_cookie(cookie, "POST", "/api/v1/auth/logout");
    EXPECT_EQ(out.status(), 204) << out.response.body;
    EXPECT_NE(out.response.header("set-cookie").find("Max-Age=0"), std::string::npos);
    EXPECT_EQ(by_cookie(cookie, "GET", "/api/v1/auth/me").text("code"), "unauthenticated");
    EXPECT_EQ(get("/api/v1/auth/me", in.text("token")).text("code"), "unauthenticated");
    EXPECT_EQ(get("/api/v1/auth/me", other.text("token")).status(), 200);
    EXPECT_EQ(post("/api/v1/auth/logout", "", other.text("token")).status(), 204);
    EXPECT_EQ(get("/api/v1/auth/me", other.text("token")).status(), 401);
}

TEST_F(SignIn, SaysThatATokenHasExpired) {
    const std::string token = login().text("token");
    clock_.advance(12h);
    const Answer answer = get("/api/v1/auth/me", token);
    EXPECT_EQ(answer.status(), 401);
    EXPECT_EQ(answer.text("code"), "token_expired");
    EXPECT_EQ(answer.response.header("www-authenticate"), "Bearer");
}

TEST_F(SignIn, ByCookieTakesNothingFromForeignPagesS6A) {
    const std::string cookie = cookie_of(login(R"(,"session":true)"));
    const std::string user = R"({"email":"b@x.org","name":"B","role":"agent"})";
    struct Case {
        const char* name;
        std::vector<HttpHeader> headers;
        int status;
    };
    const Case cases[] = {
        {"no word of the page", {}, 403},
        {"foreign origin", {{"Origin", "https://evil.example"}}, 403},
        {"null", {{"Origin", "null"}}, 403},
        {"cross-site", {{"Sec-Fetch-Site", "cross-site"}}, 403},
        {"same-site", {{"Sec-Fetch-Site", "same-site"}}, 403},
        {"our origin", {{"Origin", "https://hub.example"}}, 201},
    };
    for (const auto& [name, headers, status] : cases) {
        SCOPED_TRACE(name);
        const Answer answer = by_cookie(cookie, "POST", "/api/v1/users", user, headers);
        EXPECT_EQ(answer.status(), status) << answer.response.body;
        EXPECT_EQ(answer.text("code"), status == 403 ? "csrf_refused" : "");
    }
    EXPECT_EQ(by_cookie(cookie, "GET", "/api/v1/users", "", {}).status(), 200)
        << "reading changes nothing";
    const std::string token = login().text("token");
    EXPECT_EQ(
        post("/api/v1/users", R"({"email":"c@x.org","name":"C","role":"agent"})", token).status(),
        201)
        << "no page can make a browser send this header";
}

TEST_F(SignIn, LeavesARecordOfForeignPagesS84) {
    const std::string cookie = cookie_of(login(R"(,"session":true)"));
    for (int i = 0; i < 3; ++i) {
        by_cookie(cookie, "POST", "/api/v1/auth/logout", "", {{"Origin", "https://evil.example"}});
    }
    store_.write([](Transaction&) {}, Urgency::background);
    const Answer list = get("/api/v1/audit?action=request.refused", login().text("token"));
    ASSERT_EQ(list.count("items"), 1u) << list.response.body;
    EXPECT_EQ(list.text("items.0.object.id"), "auth.logout");
    EXPECT_EQ(list.text("items.0.after.code"), "csrf_refused");
    EXPECT_EQ(list.text("items.0.remote"), "192.0.2.1");
}

TEST_F(SignIn, IsNotForKeys) {
    const std::string admin = login().text("token");
    const std::string key =
        post("/api/v1/api-keys", R"({"name":"Shop","scopes":["ops"]})", admin).text("key");
    EXPECT_EQ(post("/api/v1/auth/refresh", "", key).status(), 403);
    EXPECT_EQ(post("/api/v1/auth/logout", "", key).status(), 403);
    const Answer me = get("/api/v1/auth/me", key);
    EXPECT_EQ(me.status(), 200) << me.response.body;
    EXPECT_EQ(me.text("role"), "api");
    EXPECT_EQ(me.text("name"), "Shop");
    EXPECT_EQ(me.json->size(), 8u) << "the shape of a user";
}

}  // namespace

class FirstOwner : public ApiTest {};

TEST_F(FirstOwner, IsMadeByTheLinkOfTheFirstStartS62) {
    const auto secret = identity_.make_first_owner_link();
    ASSERT_TRUE(secret);
    const auto body = [&](const std::string& email, const std::string& password) {
        return R"({"ticket":")" + *secret + R"(","email":")" + email +
               R"(","name":"Ann Lee","password":")" + password + R"("})";
    };
    const std::string target = "/api/v1/auth/first-owner";
    EXPECT_EQ(post(target, body("ann@x.org", "short"), "").status(), 422);
    EXPECT_EQ(post(target, body("ann", "a long enough one"), "").status(), 422);
    const Answer in = post(target, body("ann@x.org", "a long enough one"), "");
    ASSERT_EQ(in.status(), 200) << in.response.body;
    EXPECT_EQ(in.text("user.role"), "owner");
    EXPECT_EQ(get("/api/v1/users", in.text("token")).count("items"), 1u);
    EXPECT_EQ(post(target, body("eve@x.org", "a long enough one"), "").text("code"),
              "invalid_credentials");
}

TEST_F(FirstOwner, FindsAPageBehindTheLinkS6C) {
    for (const char* path : {"/welcome", "/invite"}) {
        const Response page = raw({.target = path});
        EXPECT_EQ(page.status, 200);
        EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
        EXPECT_NE(page.body.find("<script src=\"/welcome.js\">"), std::string::npos);
        const std::string policy = page.header("content-security-policy");
        EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
        EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    }
    EXPECT_EQ(raw({.target = "/welcome.js"}).header("content-type"),
              "text/javascript; charset=utf-8");
}

}  // namespace patchbay
