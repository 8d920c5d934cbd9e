// What people do to contacts.
#include "api/test_api.hpp"
#include "messaging/consent.hpp"

namespace patchbay {
namespace {

const Statement test_merges{
    "test.merges", "SELECT kept_id,gone_id,moved,actor FROM contact_merges", {}, true};
const Statement test_consents{"test.consents",
                              "SELECT channel,state,source,evidence,actor FROM consent_history "
                              "ORDER BY id",
                              {},
                              true};

class Contacts : public ApiTest {
protected:
    /// The contact of a conversation.
    std::string contact_of(const std::string& conversation) {
        return get("/api/v1/conversations/" + conversation, owner_).text("contact.id");
    }
    Answer patch(const std::string& id, const std::string& body, const std::string& token) {
        return call(
            {.method = "PATCH", .target = "/api/v1/contacts/" + id, .body = body, .token = token});
    }
    Answer merge(const std::string& gone, const std::string& kept, const std::string& token,
                 const std::string& key = {}) {
        return post("/api/v1/contacts/" + gone + "/merge", R"({"into":")" + kept + R"("})", token,
                    key);
    }
    Rows rows(const Statement& statement) {
        return store_.read([&](Session& session) { return session.run(statement); });
    }
    std::string owner_ = token_for("owner");
    std::string agent_ = token_for("agent", {"Reception"});
    const std::string number_ = "+15558675310", other_ = "+15558675311";
};

TEST_F(Contacts, GetANameAndAttributes) {
    const std::string id = contact_of(talk({.number = number_}));
    const Answer named = patch(id, R"({"name":"Ann B. Lee"})", agent_);
    ASSERT_EQ(named.status(), 200) << named.response.body;
    EXPECT_EQ(named.text("name"), "Ann B. Lee");
    const Answer described = patch(id, R"({"attributes":{"room":"12","vip":true}})", agent_);
    EXPECT_EQ(described.text("attributes.room"), "12");
    EXPECT_EQ(described.text("name"), "Ann B. Lee") << "what is not given stays";
    EXPECT_EQ(patch(id, R"({"attributes":{}})", agent_).text("attributes.room"), "")
        << "attributes are replaced as a whole";
}

TEST_F(Contacts, RefuseWhatIsNone_S33) {
    const std::string id = contact_of(talk({.number = number_, .department = "Housekeeping"}));
    EXPECT_EQ(patch(id, R"({"nmae":"x"})", owner_).text("errors.0.code"), "unknown_field");
    EXPECT_EQ(patch(id, R"({"name":7})", owner_).text("errors.0.pointer"), "/name");
    const std::string large = R"({"attributes":{"a":")" + std::string(17'000, 'x') + R"("}})";
    EXPECT_EQ(patch(id, large, owner_).text("errors.0.pointer"), "/attributes");
    EXPECT_EQ(patch(id, R"({"name":"x"})", agent_).status(), 404) << "S69: another department's";
    EXPECT_EQ(patch("none", R"({"name":"x"})", owner_).status(), 404);
    EXPECT_EQ(patch(id, R"({"name":"x"})", token_for("viewer", {"Housekeeping"})).status(), 403);
    EXPECT_EQ(patch(id, R"({"name":"x"})", token_for("expert")).status(), 403);
}

TEST_F(Contacts, OptOutAndInOfOneChannelOrAll_S74) {
    const std::string id = contact_of(talk({.number = number_}));
    const std::string path = "/api/v1/contacts/" + id;
    const auto send = [&](const std::string& channel) {
        return post("/api/v1/messages",
                    R"({"channel":")" + channel + R"(","to":")" + number_ + R"(","text":"Hi"})",
                    owner_)
            .status();
    };
    const Answer out =
        post(path + "/opt-out", R"({"channel":"sms","reason":"asked by phone"})", agent_);
    ASSERT_EQ(out.status(), 200) << out.response.body;
    EXPECT_EQ(out.text("addresses.0.consent"), "out");
    EXPECT_EQ(send("sms"), 422);
    EXPECT_EQ(send("whatsapp"), 202);
    clock_.advance(std::chrono::seconds{1});
    EXPECT_EQ(post(path + "/opt-out", "{}", agent_).status(), 200);
    EXPECT_EQ(send("whatsapp"), 422) << "no channel is all channels";
    clock_.advance(std::chrono::seconds{1});
    EXPECT_EQ(post(path + "/opt-in", R"({"channel":"sms"})", agent_).status(), 200);
    EXPECT_EQ(send("sms"), 202) << "the later word counts";
    EXPECT_EQ(send("whatsapp"), 422);
    const Rows history = rows(test_consents);
    ASSERT_EQ(history.size(), 3u);
    EXPECT_EQ(history[0].text(3), "asked by phone");
    EXPECT_EQ(history[0].text(2), "api");
    EXPECT_EQ(history[0].text(4), "user:" + get("/api/v1/auth/me", agent_).text("id"));
    EXPECT_EQ(post(path + "/opt-in", R"({"channel":"fax"})", agent_).text("code"),
              "unknown_channel");
    EXPECT_EQ(post(path + "/opt-out", "{}", token_for("viewer")).status(), 403);
}

TEST_F(Contacts, MergeMovesAddressesAndConversations) {
    const std::string first = talk({.number = number_, .channel = "whatsapp"});
    const std::string second = talk({.number = other_, .channel = "sms"});
    const std::string gone = contact_of(first), kept = contact_of(second);
    ASSERT_NE(gone, kept);
    const Answer merged = merge(gone, kept, agent_, "m1");
    ASSERT_EQ(merged.status(), 200) << merged.response.body;
    EXPECT_EQ(merged.text("id"), kept);
    EXPECT_EQ(merged.count("addresses"), 2u);
    EXPECT_EQ(contact_of(first), kept);
    EXPECT_EQ(get("/api/v1/conversations/" + first, owner_).text("state"), "open");
    EXPECT_EQ(get("/api/v1/contacts/" + gone, owner_).text("id"), kept)
        << "the old id answers the one that was kept";
    EXPECT_EQ(get("/api/v1/contacts", owner_).count("items"), 1u);
    EXPECT_EQ(merge(gone, kept, agent_, "m1").response.header("idempotent-replayed"), "true");
    EXPECT_EQ(merge(gone, kept, agent_).text("errors.0.pointer"), "/into") << "they are one now";
    EXPECT_EQ(contact_of(talk({.number = number_, .channel = "whatsapp"}, "again")), kept)
        << "what comes from the old number is the kept contact's";
    const Rows record = rows(test_merges);
    ASSERT_EQ(record.size(), 1u);
    EXPECT_EQ(record[0].text(0), kept);
    EXPECT_EQ(record[0].text(1), gone);
    EXPECT_EQ(record[0].text(3), get("/api/v1/auth/me", agent_).text("id"));
}

TEST_F(Contacts, MergeKeepsOneLiveConversationOnAChannel) {
    const std::string first = talk({.number = number_});
    const std::string second = talk({.number = other_});
    const std::string gone = contact_of(first), kept = contact_of(second);
    ASSERT_EQ(merge(gone, kept, owner_).status(), 200);
    EXPECT_EQ(get("/api/v1/conversations/" + first, owner_).text("state"), "closed");
    EXPECT_EQ(get("/api/v1/conversations/" + second, owner_).text("state"), "open");
    EXPECT_EQ(contact_of(first), kept);
    EXPECT_EQ(post("/api/v1/conversations/" + first + "/reopen", "", owner_).text("code"),
              "conversation_open");
    const auto moved = parse_json_object(std::string_view(rows(test_merges)[0].text(2)));
    EXPECT_EQ(text_at(moved, "closed.0"), first);
    EXPECT_EQ(text_at(moved, "conversations.0"), first);
    EXPECT_TRUE(text_at(moved, "addresses.0"));
}

TEST_F(Contacts, MergeChainsStayFlat) {
    const std::string a = contact_of(talk({.number = "+15558675301"}));
    const std::string b = contact_of(talk({.number = "+15558675302"}));
    const std::string c = contact_of(talk({.number = "+15558675303"}));
    merge(a, b, owner_);
    merge(b, c, owner_);
    EXPECT_EQ(get("/api/v1/contacts/" + a, owner_).text("id"), c);
    EXPECT_EQ(get("/api/v1/contacts/" + a, owner_).count("addresses"), 3u);
}

TEST_F(Contacts, MergeOnlyWhatTheCallerSees_S69) {
    const std::string own = contact_of(talk({.number = number_, .department = "Reception"}));
    const std::string foreign = contact_of(talk({.number = other_, .department = "Housekeeping"}));
    EXPECT_EQ(merge(foreign, own, agent_).status(), 404);
    EXPECT_EQ(merge(own, foreign, agent_).text("errors.0.pointer"), "/into");
    EXPECT_EQ(merge(own, "none", owner_).text("errors.0.pointer"), "/into");
    EXPECT_EQ(merge(own, own, owner_).status(), 422);
    EXPECT_EQ(merge(own, foreign, token_for("viewer", {"Reception"})).status(), 403);
    EXPECT_EQ(get("/api/v1/contacts", owner_).count("items"), 2u) << "nothing was merged";
}

TEST_F(Contacts, TypingSignsAreForThoseWhoMayWrite_S69) {
    const std::string id = talk({.number = number_, .department = "Reception"});
    const std::string path = "/api/v1/conversations/" + id + "/typing";
    EXPECT_EQ(post(path, R"({"is_typing":true})", agent_).status(), 204);
    EXPECT_EQ(post(path, R"({"is_typing":false})", agent_, "t1").status(), 204);
    EXPECT_EQ(
        post(path, R"({"is_typing":false})", agent_, "t1").response.header("idempotent-replayed"),
        "true");
    EXPECT_EQ(post(path, "{}", agent_).text("errors.0.code"), "missing_field");
    EXPECT_EQ(post(path, R"({"is_typing":"yes"})", agent_).status(), 422);
    EXPECT_EQ(post(path, R"({"is_typing":true})", token_for("viewer")).status(), 403);
    EXPECT_EQ(post(path, R"({"is_typing":true})", token_for("agent", {"Housekeeping"})).status(),
              404);
    post("/api/v1/conversations/" + id + "/close", "", agent_);
    EXPECT_EQ(post(path, R"({"is_typing":true})", agent_).text("code"), "conversation_closed");
}

}  // namespace
}  // namespace patchbay
