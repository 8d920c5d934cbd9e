#include "identity/audit.hpp"

#include "identity/audit_refusals.hpp"
#include "identity/statements.hpp"
#include "identity/test_identity.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class Audit : public IdentityTest {
protected:
    void append(const std::string& action, const JsonObject& after = {}) {
        store_->write([&](Transaction& tx) {
            append_audit(tx, {.action = action, .after = after, .actor = "me"}, clock_.now_ms());
        });
    }
    AuditCheck check() {
        return store_->read([](Session& session) { return check_audit(session); });
    }
    Rows rows() {
        return store_->read([](Session& session) {
            return session.run(sql::audit_walk, {0, int64_t{1000}});
        });
    }
    void tamper(const std::string& sql) {
        store_->write([&](Transaction& tx) { tx.run_script(sql); });
    }
};

TEST_F(Audit, IsAChainThatShowsEveryChangeS84) {
    for (int i = 0; i < 5; ++i) append("thing" + std::to_string(i));
    EXPECT_EQ(check().problem, "");
    EXPECT_EQ(check().rows, 5);
    EXPECT_EQ(check().head.seq, 5);
    EXPECT_EQ(check().head.hash, rows().back().text(12));
    tamper("UPDATE audit SET actor='you' WHERE seq=3");
    EXPECT_EQ(check().problem, "record 3 was changed");
    tamper("UPDATE audit SET actor='me' WHERE seq=3");
    EXPECT_EQ(check().problem, "");
    tamper("DELETE FROM audit WHERE seq=2");
    EXPECT_EQ(check().problem, "record 3 follows record 1");
    tamper("UPDATE audit SET seq=seq-1 WHERE seq>2");
    EXPECT_EQ(check().problem, "record 2 does not continue the one before");
    tamper("DELETE FROM audit WHERE seq<4");
    EXPECT_EQ(check().problem, "record 4 follows record 0");
}

TEST_F(Audit, HasNoPhoneNumberAndNoSecretS84) {
    register_secret("very-secret-thing");
    JsonObject after = make_object();
    after->set("phone", "+4915112345678");
    after->set("key", "very-secret-thing");
    append("thing", after);
    const std::string stored = rows().back().text(10);
    EXPECT_EQ(stored.find("15112345678"), std::string::npos) << stored;
    EXPECT_EQ(stored.find("very-secret"), std::string::npos) << stored;
    EXPECT_EQ(check().problem, "");
}

TEST_F(Audit, HasNothingOfWorkThatWasRolledBackS84) {
    EXPECT_THROW(store_->write([&](Transaction& tx) {
        append_audit(tx, {.action = "thing"}, clock_.now_ms());
        throw std::runtime_error("no");
    }),
                 std::runtime_error);
    EXPECT_TRUE(rows().empty());
}

TEST_F(Audit, IsTrimmedToARecordOfThatS84) {
    for (int i = 0; i < 4; ++i) append("old");
    clock_.advance(24h);
    append("new");
    const TimeMs before = clock_.now_ms() - 1000;
    for (int i = 0; i < 2; ++i) {
        store_->write([&](Transaction& tx) { trim_audit(tx, before, clock_.now_ms()); });
        ASSERT_EQ(rows().size(), 2u) << "the second time there is nothing to trim";
    }
    EXPECT_EQ(rows()[0].text(4), "new");
    EXPECT_EQ(rows()[1].text(4), "audit.trim");
    EXPECT_EQ(check().problem, "");
    tamper("DELETE FROM audit WHERE seq=5");
    EXPECT_NE(check().problem, "");
}

TEST_F(Audit, CountsEqualRefusalsInsteadOfGrowingS84) {
    AuditRefusals refusals(*store_);
    const auto note = [&](const std::string& remote) {
        refusals.note({.action = "request.refused", .object_type = "route", .remote = remote});
    };
    for (int i = 0; i < 50; ++i) note("192.0.2.1");
    clock_.advance(11min);
    note("192.0.2.1");
    store_->write([](Transaction&) {}, Urgency::background);
    ASSERT_EQ(rows().size(), 2u);
    EXPECT_NE(rows()[1].text(10).find(R"("repeated":49)"), std::string::npos);
    for (int i = 0; i < 5000; ++i) note("2001:db8::" + std::to_string(i));
    clock_.advance(1min);
    note("192.0.2.2");
    store_->write([](Transaction&) {}, Urgency::background);
    EXPECT_LE(rows().size(), 110u);
    EXPECT_NE(rows().back().text(10).find("others_left_out"), std::string::npos);
    EXPECT_EQ(check().problem, "");
}

TEST_F(Audit, HasGoodAndFailedSignInsS84) {
    const User bo = add("bo@x.org", "agent");
    code_of([&] { identity_->login("bo@x.org", "wrong horse battery", {.address = "192.0.2.7"}); });
    code_of([&] { identity_->login("typed-my-password", "x", {.address = "192.0.2.7"}); });
    store_->write([](Transaction&) {}, Urgency::background);
    identity_->login("bo@x.org", test_password, {.address = "192.0.2.7", .request_id = "req-7"});
    const Rows all = rows();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].text(4), "login.failed");
    EXPECT_EQ(all[0].text(6), bo.id);
    EXPECT_EQ(all[0].text(3), "") << "anybody may have tried";
    EXPECT_EQ(all[1].text(6), "") << "nothing of what was typed";
    EXPECT_EQ(all[2].text(4), "login");
    EXPECT_EQ(all[2].text(3), bo.id);
    EXPECT_EQ(all[2].text(7), "192.0.2.7");
    EXPECT_EQ(all[2].text(8), "req-7");
}

}  // namespace
}  // namespace patchbay
