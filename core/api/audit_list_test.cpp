// GET /api/v1/audit, and what leaves a record (S84).
#include "api/test_api.hpp"

namespace patchbay {
namespace {

class AuditList : public ApiTest {
protected:
    std::string owner_ = token_for("owner");
    Answer records(const std::string& query) { return get("/api/v1/audit" + query, owner_); }
};

TEST_F(AuditList, HasChangesOfPeopleWithBeforeAndAfterS84) {
    const std::string agent = token_for("agent", {"Reception"});
    const std::string id = get("/api/v1/auth/me", agent).text("id");
    call({.method = "PATCH",
          .target = "/api/v1/users/" + id,
          .body = R"({"role":"viewer","password":"a new and long one"})",
          .token = owner_});
    const Answer list = records("?object_type=user&object=" + id);
    ASSERT_EQ(list.count("items"), 1u) << list.response.body;
    EXPECT_EQ(list.text("items.0.action"), "user.change");
    EXPECT_EQ(list.text("items.0.actor.type"), "user");
    EXPECT_EQ(list.text("items.0.actor.id"), get("/api/v1/auth/me", owner_).text("id"));
    EXPECT_EQ(list.text("items.0.remote"), "192.0.2.1");
    EXPECT_EQ(list.text("items.0.request_id"), "req-1");
    EXPECT_EQ(list.text("items.0.before.role"), "agent");
    EXPECT_EQ(list.text("items.0.after.role"), "viewer");
    EXPECT_EQ(list.text("items.0.after.credentials"), "changed");
    EXPECT_EQ(list.response.body.find("a new and long one"), std::string::npos);
    EXPECT_EQ(get("/api/v1/auth/me", agent).status(), 401) << "the password ended its tokens";
}

TEST_F(AuditList, HasNewUsersAndWhoWasRefusedS84) {
    post("/api/v1/users", R"({"email":"b@x.org","name":"B","role":"agent"})", owner_);
    EXPECT_EQ(records("?action=user.create").text("items.0.after.email"), "b@x.org");
    EXPECT_EQ(records("").response.body.find("invite"), std::string::npos);
    const std::string agent = token_for("agent");
    for (int i = 0; i < 5; ++i) get("/api/v1/users", agent);
    store_.write([](Transaction&) {}, Urgency::background);
    const Answer list = records("?action=request.refused");
    ASSERT_EQ(list.count("items"), 1u) << list.response.body;
    EXPECT_EQ(list.text("items.0.object.id"), "users.list");
    EXPECT_EQ(list.text("items.0.after.code"), "forbidden");
}

TEST_F(AuditList, HasWhoIsToldOfEventsAndNotTheirSecretsS84) {
    const Answer made = post("/api/v1/webhooks",
                             R"({"url":"https://crm.example/in","events":["message.*"]})", owner_);
    ASSERT_EQ(made.status(), 201) << made.response.body;
    const std::string target = "/api/v1/webhooks/" + made.text("id");
    call({.method = "PATCH",
          .target = target,
          .body = R"({"description":"CRM","rotate_secret":true})",
          .token = owner_});
    call({.method = "DELETE", .target = target, .token = owner_});
    const Answer list = records("?object_type=webhook&object=" + made.text("id"));
    ASSERT_EQ(list.count("items"), 3u) << list.response.body;
    EXPECT_EQ(list.text("items.0.action"), "webhook.delete");
    EXPECT_EQ(list.text("items.1.after.description"), "CRM");
    EXPECT_EQ(list.text("items.2.action"), "webhook.create");
    EXPECT_EQ(list.response.body.find("whsec_"), std::string::npos);
}

TEST_F(AuditList, HasWhoLetAPersonBeCollectedOrForgottenS84) {
    const std::string talked = talk({.number = "+15558675310"});
    const std::string id = get("/api/v1/conversations/" + talked, owner_).text("contact.id");
    post("/api/v1/contacts/" + id + "/export", "", owner_);
    EXPECT_EQ(
        post("/api/v1/contacts/" + id + "/erase", R"({"confirm":"Ann Lee"})", owner_).status(),
        202);
    const Answer list = records("?object_type=contact&object=" + id);
    ASSERT_EQ(list.count("items"), 2u) << list.response.body;
    EXPECT_EQ(list.text("items.0.action"), "contact.erase");
    EXPECT_EQ(list.text("items.1.action"), "contact.export");
    EXPECT_EQ(list.response.body.find("Ann Lee"), std::string::npos);
}

TEST_F(AuditList, SaysWhetherItIsWholeS84) {
    post("/api/v1/users", R"({"email":"b@x.org","name":"B","role":"agent"})", owner_);
    const Answer whole = get("/api/v1/audit/check", owner_);
    EXPECT_EQ(whole.text("rows"), "1");
    EXPECT_EQ(whole.text("hash"), records("").text("items.0.hash"));
    EXPECT_EQ(whole.text("problem"), "");
    store_.write([](Transaction& tx) { tx.run_text("UPDATE audit SET action='nothing'"); });
    EXPECT_EQ(get("/api/v1/audit/check", owner_).text("problem"), "record 1 was changed");
}

TEST_F(AuditList, ComesInPagesAndOnlyToAdmins) {
    for (int i = 0; i < 3; ++i) {
        post("/api/v1/users",
             R"({"email":"b)" + std::to_string(i) + R"(@x.org","name":"B","role":"agent"})",
             owner_);
    }
    const Answer first = records("?limit=2");
    ASSERT_EQ(first.count("items"), 2u);
    EXPECT_EQ(first.text("items.0.seq"), "3");
    const Answer second = records("?limit=2&cursor=" + first.text("next"));
    ASSERT_EQ(second.count("items"), 1u);
    EXPECT_EQ(second.text("items.0.seq"), "1");
    EXPECT_EQ(get("/api/v1/audit", token_for("admin")).status(), 200);
    for (const char* role : {"expert", "agent", "viewer", "api"}) {
        EXPECT_EQ(get("/api/v1/audit", token_for(role)).status(), 403) << role;
    }
    EXPECT_EQ(records("?colour=red").text("code"), "unknown_parameter");
}

}  // namespace
}  // namespace patchbay
