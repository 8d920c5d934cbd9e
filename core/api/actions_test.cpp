// What people do to conversations and deliveries.
#include "api/test_api.hpp"

namespace patchbay {
namespace {

const Statement test_job_state{
    "test.job_state", "UPDATE jobs SET state=$1,phase=NULL WHERE id=$2", {"PRIMARY"}};
const Statement test_message_status{
    "test.message_status", "UPDATE messages SET status=$1,rank=$2 WHERE id=$3", {"PRIMARY"}};

class Actions : public ApiTest {
protected:
    Answer act(const std::string& conversation, const std::string& action,
               const std::string& body = {}) {
        return post("/api/v1/conversations/" + conversation + "/" + action, body, agent_);
    }
    /// A queued message: its id and its delivery's.
    std::pair<std::string, std::string> queued() {
        const Answer sent = post("/api/v1/messages",
                                 R"({"channel":"sms","to":"+15558675310","text":"Hi"})", agent_);
        woken_.clear();
        const Answer list = get("/api/v1/deliveries", agent_);
        return {sent.text("id"), list.text("items.0.id")};
    }
    void end(const std::string& message, const std::string& job, const std::string& job_state,
             const std::string& status, int64_t rank) {
        store_.write([&](Transaction& tx) {
            tx.run(test_job_state, {job_state, int64_t{std::stoll(job)}});
            tx.run(test_message_status, {status, rank, message});
        });
    }
    std::string agent_ = token_for("agent", {"Reception"});
    const std::string number_ = "+15558675310";
};

TEST_F(Actions, CloseAndReopenAConversation) {
    const std::string id = talk({.number = number_, .department = "Reception"});
    const Answer closed = act(id, "close");
    ASSERT_EQ(closed.status(), 200) << closed.response.body;
    EXPECT_EQ(closed.text("state"), "closed");
    EXPECT_EQ(act(id, "close").text("code"), "conversation_closed");
    EXPECT_EQ(post("/api/v1/conversations/" + id + "/messages", R"({"text":"x"})", agent_).status(),
              409);
    EXPECT_EQ(act(id, "reopen").text("state"), "open");
    EXPECT_EQ(act(id, "reopen").text("code"), "conversation_open");
}

TEST_F(Actions, OpenNoSecondConversationWithAContact) {
    const std::string first = talk({.number = number_, .department = "Reception"});
    act(first, "close");
    const std::string second = talk({.number = number_, .department = "Reception"});
    ASSERT_NE(second, first);
    const Answer refused = act(first, "reopen");
    EXPECT_EQ(refused.status(), 409);
    EXPECT_EQ(refused.text("code"), "conversation_open");
}

TEST_F(Actions, AssignAPersonOrADepartmentOrNobody) {
    const std::string id = talk({.number = number_, .department = "Reception"});
    const std::string me = get("/api/v1/auth/me", agent_).text("id");
    EXPECT_EQ(act(id, "assign", R"({"assignee":")" + me + R"("})").text("assignee"), me);
    const Answer moved = act(id, "assign", R"({"department":"reception"})");
    EXPECT_EQ(moved.text("department"), "Reception");
    EXPECT_EQ(moved.text("assignee"), me) << "what is not given stays";
    EXPECT_EQ(act(id, "assign", R"({"assignee":null})").text("assignee"), "");
    EXPECT_EQ(act(id, "assign", R"({"department":null})").text("department"), "");
    const Answer given_away = act(id, "assign", R"({"department":"Housekeeping"})");
    EXPECT_EQ(given_away.text("department"), "Housekeeping");
    EXPECT_EQ(act(id, "assign", R"({"department":"Reception"})").status(), 404)
        << "S69: another department's now";
}

TEST_F(Actions, AreRefusedWithAReason) {
    const std::string id = talk({.number = number_, .department = "Reception"});
    const std::string viewer = token_for("viewer", {"Reception"});
    const std::string viewer_id = get("/api/v1/auth/me", viewer).text("id");
    EXPECT_EQ(act(id, "assign", "{}").text("errors.0.code"), "missing_field");
    EXPECT_EQ(act(id, "assign", R"({"assignee":"nobody"})").text("errors.0.pointer"), "/assignee");
    EXPECT_EQ(act(id, "assign", R"({"assignee":")" + viewer_id + R"("})").status(), 422)
        << "a viewer does not answer";
    EXPECT_EQ(act(id, "assign", R"({"department":"Spa"})").text("code"), "unknown_department");
    EXPECT_EQ(act("none", "close").status(), 404);
    EXPECT_EQ(post("/api/v1/conversations/" + id + "/close", "", viewer).status(), 403);
    act(id, "close");
    EXPECT_EQ(act(id, "assign", R"({"assignee":null})").text("code"), "conversation_closed");
    EXPECT_EQ(act(id, "relay", "{}").text("code"), "conversation_closed");
}

TEST_F(Actions, HandAConversationToPeopleAndBackToTheFlow) {
    const std::string id = talk({.number = number_, .department = "Reception"});
    EXPECT_EQ(act(id, "relay", R"({"department":"Reception"})").text("mode"), "relay");
    EXPECT_EQ(act(id, "end-relay").text("mode"), "flow");
}

TEST_F(Actions, MarkAConversationAsRead) {
    const std::string id = talk({.number = number_, .department = "Reception"});
    ASSERT_EQ(get("/api/v1/conversations/" + id, agent_).text("unread"), "1");
    EXPECT_EQ(act(id, "read").text("unread"), "0");
}

TEST_F(Actions, RepeatTheirAnswerUnderTheSameKey_G4) {
    const std::string id = talk({.number = number_, .department = "Reception"});
    const std::string path = "/api/v1/conversations/" + id + "/close";
    const Answer first = post(path, "", agent_, "k1");
    const Answer second = post(path, "", agent_, "k1");
    EXPECT_EQ(second.status(), 200) << "not 409: it is the same request";
    EXPECT_EQ(second.response.body, first.response.body);
    EXPECT_EQ(second.response.header("idempotent-replayed"), "true");
}

TEST_F(Actions, CancelADeliveryThatHasNotLeft) {
    const auto [message, delivery] = queued();
    const Answer cancelled = post("/api/v1/deliveries/" + delivery + "/cancel", "", agent_);
    ASSERT_EQ(cancelled.status(), 200) << cancelled.response.body;
    EXPECT_EQ(cancelled.text("state"), "cancelled");
    EXPECT_EQ(get("/api/v1/messages/" + message, agent_).text("status"), "cancelled");
    EXPECT_EQ(woken_, std::vector<std::string>{"sms"}) << "the next one of the lane may go";
    for (const char* action : {"/cancel", "/retry"}) {
        EXPECT_EQ(post("/api/v1/deliveries/" + delivery + action, "", agent_).text("code"),
                  "delivery_finished");
    }
}

TEST_F(Actions, TryADeliveryAgain) {
    const auto [message, delivery] = queued();
    const Answer hurried = post("/api/v1/deliveries/" + delivery + "/retry", "", agent_);
    EXPECT_EQ(hurried.text("id"), delivery) << "it waits already: now";
    EXPECT_EQ(woken_, std::vector<std::string>{"sms"});

    end(message, delivery, "dead", "failed", 45);
    const Answer again = post("/api/v1/deliveries/" + delivery + "/retry", "", agent_);
    ASSERT_EQ(again.status(), 200) << again.response.body;
    EXPECT_NE(again.text("id"), delivery) << "G8: a failed message does not come back to life";
    EXPECT_EQ(again.text("state"), "ready");
    EXPECT_EQ(get("/api/v1/messages/" + message, agent_).text("status"), "failed");
}

TEST_F(Actions, LeaveADeliveryAloneThatIsUnderWay) {
    const auto [message, delivery] = queued();
    end(message, delivery, "unknown", "unknown", 25);
    EXPECT_EQ(post("/api/v1/deliveries/" + delivery + "/retry", "", agent_).text("code"),
              "delivery_running");
    EXPECT_EQ(post("/api/v1/deliveries/1/retry", "", agent_).status(), 404);
    EXPECT_EQ(post("/api/v1/deliveries/abc/cancel", "", agent_).status(), 404);
    const std::string elsewhere = token_for("expert");
    EXPECT_EQ(post("/api/v1/deliveries/" + delivery + "/retry", "", elsewhere).status(), 403);
}

TEST_F(Actions, ResendOnlyWhatHasFailed) {
    const auto [message, delivery] = queued();
    const std::string path = "/api/v1/messages/" + message + "/resend";
    EXPECT_EQ(post(path, "", agent_).text("code"), "delivery_running");
    end(message, delivery, "done", "delivered", 50);
    EXPECT_EQ(post(path, "", agent_).text("code"), "delivery_finished");
    end(message, delivery, "dead", "failed", 45);
    const Answer resent = post(path, "", agent_);
    ASSERT_EQ(resent.status(), 202) << resent.response.body;
    EXPECT_NE(resent.text("id"), message);
    EXPECT_EQ(resent.text("text"), "Hi");
    EXPECT_EQ(resent.text("status"), "queued");
    EXPECT_EQ(post("/api/v1/messages/none/resend", "", agent_).status(), 404);
}

}  // namespace
}  // namespace patchbay
