// Outgoing webhooks over the API; what they tell is core/delivery's to test.
#include "delivery/webhooks.hpp"
#include "api/test_api.hpp"

namespace patchbay {
namespace {

const Statement test_kept_answers{
    "test.kept_answers", "SELECT response FROM idempotency", {}, true};

class WebhookApi : public ApiTest {
protected:
    WebhookApi() {
        context_.webhooks_changed = [this] { ++changes_; };
    }
    Answer create(const std::string& url = "https://hooks.example.com/in",
                  const std::string& events = R"(["message.*"])", const std::string& key = {}) {
        return post(path_, R"({"url":")" + url + R"(","events":)" + events + "}", owner_, key);
    }
    Answer patch(const std::string& id, const std::string& body) {
        return call({.method = "PATCH", .target = path_ + "/" + id, .body = body, .token = owner_});
    }
    std::vector<std::string> secrets(const std::string& id) {
        return store_.read([&](Session& session) {
            return webhook_secrets(session, sealer_, id, clock_.now_ms());
        });
    }
    const std::string path_ = "/api/v1/webhooks";
    const std::string owner_ = token_for("owner");
    int changes_ = 0;
};

TEST_F(WebhookApi, ShowTheirSecretOnce) {
    const Answer made = create();
    ASSERT_EQ(made.status(), 201) << made.response.body;
    const std::string id = made.text("id");
    EXPECT_EQ(made.response.header("location"), path_ + "/" + id);
    EXPECT_EQ(made.text("url"), "https://hooks.example.com/in");
    EXPECT_EQ(made.text("events.0"), "message.*");
    EXPECT_EQ(made.text("enabled"), "true");
    EXPECT_TRUE(made.text("secret").starts_with("whsec_"));
    EXPECT_EQ(secrets(id), std::vector<std::string>{made.text("secret")});
    EXPECT_EQ(changes_, 1);
    EXPECT_FALSE(get(path_ + "/" + id, owner_).json->has("secret"));
    const Answer list = get(path_, owner_);
    EXPECT_EQ(list.text("items.0.id"), id);
    EXPECT_EQ(list.response.body.find("whsec_"), std::string::npos);
}

TEST_F(WebhookApi, RepeatUnderAKeyWithoutTheSecretG4S81) {
    const Answer first = create("https://hooks.example.com/", "[\"*\"]", "k1");
    const Answer second = create("https://hooks.example.com/", "[\"*\"]", "k1");
    EXPECT_EQ(second.status(), 201);
    EXPECT_EQ(second.text("id"), first.text("id"));
    EXPECT_EQ(second.response.header("idempotent-replayed"), "true");
    EXPECT_FALSE(second.json->has("secret")) << "what is kept of an answer holds no secret";
    EXPECT_EQ(get(path_, owner_).count("items"), 1u);
    const Rows kept = store_.read([](Session& s) { return s.run(test_kept_answers); });
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].bytes(0).find("whsec_"), std::string::npos);
}

TEST_F(WebhookApi, RefuseUrlsThatLeadInsideS50) {
    const auto refused = [&](const std::string& url) {
        const Answer answer = create(url);
        EXPECT_EQ(answer.status(), 422) << url;
        return answer.text("errors.0.pointer");
    };
    for (const char* url :
         {"http://hooks.example.com/", "https://10.0.0.1/", "https://169.254.169.254/",
          "https://hooks.example.com:22/", "https://a:b@hooks.example.com/", "javascript:1"}) {
        EXPECT_EQ(refused(url), "/url") << url;
    }
    EXPECT_EQ(create("http://127.0.0.1:9000/").status(), 201) << "in development";
    config_.mode = "production";
    EXPECT_EQ(refused("http://127.0.0.1:9000/"), "/url");
    EXPECT_EQ(refused("https://localhost/"), "/url");
}

TEST_F(WebhookApi, RefuseWhatNobodyTellsAndWhatNobodyKnows) {
    EXPECT_EQ(create("https://x.example/", R"(["message.eaten"])").text("errors.0.pointer"),
              "/events/0");
    EXPECT_EQ(create("https://x.example/", "[]").text("errors.0.pointer"), "/events");
    EXPECT_EQ(post(path_, R"({"url":"https://x.example/"})", owner_).text("errors.0.code"),
              "missing_field");
    EXPECT_EQ(post(path_, R"({"url":"https://x.example/","events":["*"],"secret":"x"})", owner_)
                  .text("errors.0.pointer"),
              "/secret");
    EXPECT_EQ(get(path_ + "/none", owner_).status(), 404);
    EXPECT_EQ(patch("none", "{}").status(), 404);
}

TEST_F(WebhookApi, ChangeAndGetANewSecret) {
    const Answer made = create();
    const std::string id = made.text("id");
    const Answer changed =
        patch(id, R"({"url":"https://other.example/","events":["*"],"description":"CRM"})");
    ASSERT_EQ(changed.status(), 200) << changed.response.body;
    EXPECT_EQ(changed.text("url"), "https://other.example/");
    EXPECT_EQ(changed.text("events.0"), "*");
    EXPECT_EQ(changed.text("description"), "CRM");
    EXPECT_FALSE(changed.json->has("secret"));
    const Answer rotated = patch(id, R"({"rotate_secret":true})");
    EXPECT_EQ(secrets(id), (std::vector<std::string>{rotated.text("secret"), made.text("secret")}));
    EXPECT_EQ(patch(id, R"({"url":"https://10.0.0.1/"})").status(), 422);
    clock_.advance(std::chrono::hours{24});
    EXPECT_EQ(secrets(id), std::vector<std::string>{rotated.text("secret")});
}

TEST_F(WebhookApi, StopAndGoOn) {
    const std::string id = create().text("id");
    const Answer off = patch(id, R"({"enabled":false})");
    EXPECT_EQ(off.text("enabled"), "false");
    EXPECT_EQ(off.text("disabled_reason"), "by hand");
    EXPECT_EQ(patch(id, R"({"enabled":true})").text("disabled_reason"), "");
    const int before = changes_;
    EXPECT_EQ(call({.method = "DELETE", .target = path_ + "/" + id, .token = owner_}).status(),
              204);
    EXPECT_EQ(changes_, before + 1);
    EXPECT_EQ(call({.method = "DELETE", .target = path_ + "/" + id, .token = owner_}).status(),
              404);
    EXPECT_EQ(get(path_, owner_).count("items"), 0u);
}

TEST_F(WebhookApi, AreInTheAuditRecordWithoutTheirSecretS84) {
    static const Statement all{
        "test.webhook_audit", "SELECT action,before,after FROM audit ORDER BY seq", {}, true};
    const std::string id = create().text("id");
    patch(id, R"({"rotate_secret":true,"enabled":false})");
    call({.method = "DELETE", .target = path_ + "/" + id, .token = owner_});
    std::vector<std::string> actions;
    for (const Row& row : store_.read([](Session& session) { return session.run(all); })) {
        actions.push_back(row.text(0));
        EXPECT_EQ((row.text_or(1, "") + row.text_or(2, "")).find("whsec_"), std::string::npos);
    }
    EXPECT_EQ(actions,
              (std::vector<std::string>{"webhook.create", "webhook.change", "webhook.delete"}));
}

TEST_F(WebhookApi, AreForOwnerAndAdminS69) {
    for (const char* role : {"admin", "expert", "agent", "viewer"}) {
        const std::string token = token_for(role);
        const bool in = role == std::string("admin");
        EXPECT_EQ(get(path_, token).status(), in ? 200 : 403) << role;
        EXPECT_EQ(post(path_, R"({"url":"https://x.example/","events":["*"]})", token).status(),
                  in ? 201 : 403)
            << role;
    }
    EXPECT_EQ(get(path_, "").status(), 401);
}

}  // namespace
}  // namespace patchbay
