// Queuing messages and repeating requests.
#include "api/test_api.hpp"

namespace patchbay {
namespace {

class Messages : public ApiTest {
protected:
    std::string agent_ = token_for("agent", {"Reception"});
};

const std::string hello = R"({"channel":"sms","to":"+15558675310","text":"Hi"})";

TEST_F(Messages, AreQueuedAtOnce) {
    const Answer queued = post("/api/v1/messages", hello, agent_);
    ASSERT_EQ(queued.status(), 202) << queued.response.body;
    EXPECT_EQ(queued.text("status"), "queued");
    EXPECT_EQ(queued.text("direction"), "out");
    EXPECT_EQ(queued.text("text"), "Hi");
    EXPECT_EQ(queued.text("sender.type"), "staff");
    EXPECT_EQ(queued.text("sender.name"), "A agent");
    EXPECT_EQ(queued.response.header("location"), "/api/v1/messages/" + queued.text("id"));
    EXPECT_EQ(woken_, std::vector<std::string>{"sms"});

    const Answer one = get("/api/v1/messages/" + queued.text("id"), agent_);
    EXPECT_EQ(one.text("id"), queued.text("id"));
    EXPECT_EQ(one.count("events"), 0u);
    EXPECT_EQ(get("/api/v1/conversations/" + queued.text("conversation_id"), agent_).text("mode"),
              "flow");
    const Answer deliveries = get("/api/v1/deliveries?channel=sms", agent_);
    ASSERT_EQ(deliveries.count("items"), 1u) << deliveries.response.body;
    EXPECT_EQ(deliveries.text("items.0.message_id"), queued.text("id"));
    EXPECT_EQ(deliveries.text("items.0.state"), "ready");
    EXPECT_EQ(get("/api/v1/deliveries/" + deliveries.text("items.0.id"), agent_).status(), 200);
}

TEST_F(Messages, CarryOnAConversation) {
    const std::string id = talk({.number = "+15558675310", .department = "Reception"});
    const Answer queued =
        post("/api/v1/conversations/" + id + "/messages", R"({"text":"Coming"})", agent_);
    ASSERT_EQ(queued.status(), 202) << queued.response.body;
    EXPECT_EQ(queued.text("conversation_id"), id);
    const Answer list = get("/api/v1/conversations/" + id + "/messages", agent_);
    EXPECT_EQ(list.text("items.0.text"), "Coming");
    EXPECT_EQ(list.text("items.1.text"), "Hello");
    EXPECT_EQ(post("/api/v1/messages",
                   R"({"channel":"whatsapp","conversation_id":")" + id + R"(","text":"x"})", agent_)
                  .text("code"),
              "invalid_field");
}

TEST_F(Messages, AreRefusedWithAReason) {
    struct Case {
        const char* name;
        std::string body;
        int status;
        std::string code, pointer;
    };
    const Case cases[] = {
        {"no channel", R"({"to":"+15558675310","text":"Hi"})", 422, "missing_field", "/channel"},
        {"unknown channel", R"({"channel":"pigeon","to":"+15558675310","text":"Hi"})", 422,
         "unknown_channel", "/channel"},
        {"no recipient", R"({"channel":"sms","text":"Hi"})", 422, "missing_field", "/to"},
        {"bad number", R"({"channel":"sms","to":"12","text":"Hi"})", 422, "invalid_phone_number",
         "/to"},
        {"nothing to say", R"({"channel":"sms","to":"+15558675310"})", 422, "missing_field",
         "/text"},
        {"empty text", R"({"channel":"sms","to":"+15558675310","text":""})", 422, "invalid_field",
         "/text"},
        {"unknown field", R"({"channel":"sms","to":"+15558675310","text":"Hi","status":"read"})",
         422, "unknown_field", "/status"},
        {"unknown field of media",
         R"({"channel":"sms","to":"+15558675310","media":[{"url":"https://x.org/a","x":1}]})", 422,
         "unknown_field", "/media/0/x"},
        {"media by http",
         R"({"channel":"sms","to":"+15558675310","media":[{"url":"http://x.org/a"}]})", 422,
         "invalid_field", "/media/0/url"},
    };
    for (const auto& [name, body, status, code, pointer] : cases) {
        SCOPED_TRACE(name);
        const Answer answer = post("/api/v1/messages", body, agent_);
        EXPECT_EQ(answer.status(), status) << answer.response.body;
        EXPECT_EQ(answer.text("code"), code);
        EXPECT_EQ(answer.text("errors.0.pointer"), pointer);
    }
    EXPECT_TRUE(woken_.empty());
    EXPECT_EQ(get("/api/v1/messages", agent_).count("items"), 0u);
}

TEST_F(Messages, AreNotForOtherDepartmentsS69) {
    const std::string id = talk({.number = "+15558675310", .department = "Housekeeping"});
    const std::string target = "/api/v1/conversations/" + id + "/messages";
    EXPECT_EQ(post(target, R"({"text":"Hi"})", agent_).status(), 404);
    EXPECT_EQ(post("/api/v1/messages", hello, agent_).status(), 404)
        << "its live conversation is theirs";
    EXPECT_EQ(post(target, R"({"text":"Hi"})", token_for("viewer", {"Housekeeping"})).status(),
              403);
    EXPECT_EQ(post(target, R"({"text":"Hi"})", token_for("agent", {"Housekeeping"})).status(), 202);
    EXPECT_EQ(get("/api/v1/messages", agent_).count("items"), 0u);
}

TEST_F(Messages, AreSentOnceHoweverOftenTheyAreAskedForG4) {
    const Answer first = post("/api/v1/messages", hello, agent_, "order-77");
    const Answer again = post("/api/v1/messages", hello, agent_, "order-77");
    EXPECT_EQ(first.status(), 202);
    EXPECT_EQ(again.status(), 202);
    EXPECT_EQ(again.response.body, first.response.body);
    EXPECT_EQ(again.response.header("location"), first.response.header("location"));
    EXPECT_EQ(again.response.header("idempotent-replayed"), "true");
    EXPECT_EQ(first.response.header("idempotent-replayed"), "");
    EXPECT_EQ(get("/api/v1/messages", agent_).count("items"), 1u);
    EXPECT_EQ(woken_.size(), 1u);
}

TEST_F(Messages, RefuseAKeyForAnotherBodyG4) {
    post("/api/v1/messages", hello, agent_, "order-77");
    const Answer other =
        post("/api/v1/messages", R"({"channel":"sms","to":"+15558675310","text":"Bye"})", agent_,
             "order-77");
    EXPECT_EQ(other.status(), 422);
    EXPECT_EQ(other.text("code"), "idempotency_mismatch");
    EXPECT_EQ(post("/api/v1/messages", hello, token_for("owner"), "order-77").status(), 202)
        << "a key is its caller's";
}

TEST_F(Messages, RepeatARefusalButNotATransientOneG4) {
    const std::string body = R"({"email":"b@x.org","name":"B","role":"agent"})";
    const std::string owner = token_for("owner");
    post("/api/v1/users", body, owner);
    const Answer taken = post("/api/v1/users", body, owner, "user-1");
    EXPECT_EQ(taken.status(), 409);
    const Answer again = post("/api/v1/users", body, owner, "user-1");
    EXPECT_EQ(again.status(), 409);
    EXPECT_EQ(again.response.header("idempotent-replayed"), "true");
    EXPECT_EQ(again.response.body, taken.response.body);
}

TEST_F(Messages, ForgetAKeyAfterTwoDaysG4) {
    const std::string owner = token_for("owner");
    const Answer first = post("/api/v1/messages", hello, owner, "order-77");
    clock_.advance(std::chrono::hours{48});
    const std::string fresh = identity_.token_for("owner2@x.org", {}).token;
    const Answer later = post("/api/v1/messages", hello, fresh, "order-77");
    EXPECT_EQ(later.status(), 202) << later.response.body;
    EXPECT_NE(later.text("id"), first.text("id"));
}

TEST_F(Messages, WantAReadableKeyG4) {
    for (const std::string& key : {std::string("two words"), std::string(256, 'k')}) {
        const Answer answer = post("/api/v1/messages", hello, agent_, key);
        EXPECT_EQ(answer.status(), 400);
        EXPECT_EQ(answer.text("code"), "invalid_header");
    }
}

}  // namespace
}  // namespace patchbay
