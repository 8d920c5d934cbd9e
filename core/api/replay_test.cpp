// Asking for a replay; what it does is core/inbound's to test.
#include "api/test_api.hpp"
#include "delivery/tasks.hpp"

namespace patchbay {
namespace {

const Statement test_kept{
    "test.kept",
    "INSERT INTO ingress(id,instance,route,method,url,headers,body,remote,received_at,state) "
    "VALUES($1,'sms','message','POST','/','[]',$2,'192.0.2.1',$3,'routed')"};
const Statement test_audit{
    "test.audit", "SELECT action,object,after FROM audit ORDER BY seq", {}, true};

class ReplayApi : public ApiTest {
protected:
    std::string keep() {
        clock_.advance(std::chrono::seconds{1});
        const int64_t id = ids_.machine_id();
        store_.write([&](Transaction& tx) { tx.run(test_kept, {id, Blob{"x"}, clock_.now_ms()}); });
        return std::to_string(id);
    }
    Answer replay(const std::string& body, const std::string& key = {}) {
        clock_.advance(std::chrono::seconds{1});
        return post("/api/v1/ingress/replay", body, owner_, key);
    }
    std::string faulty(const std::string& body) {
        const Answer answer = replay(body);
        EXPECT_EQ(answer.status(), 422) << body;
        return answer.text("errors.0.pointer");
    }
    const std::string owner_ = token_for("owner");
};

TEST_F(ReplayApi, OfAStretchIsAJob_G24) {
    keep();
    keep();
    const Answer all = replay(R"({"instance":"sms"})");
    ASSERT_EQ(all.status(), 202) << all.response.body;
    EXPECT_EQ(all.text("job.kind"), "replay");
    EXPECT_EQ(all.text("job.status"), "running");
    EXPECT_EQ(all.text("job.total"), "2");
    EXPECT_EQ(all.text("job.queued"), "2");
    const std::string place = "/api/v1/jobs/" + all.text("job.id");
    EXPECT_EQ(all.response.header("location"), place);
    EXPECT_EQ(get(place, owner_).text("id"), all.text("job.id"));
    EXPECT_EQ(woken_, std::vector<std::string>{task_queue});
    EXPECT_EQ(replay(R"({"since":"2100-01-01T00:00:00Z"})").text("job.total"), "0");
}

TEST_F(ReplayApi, OfGivenOnesAndStoppedAndResumed_F37) {
    const std::string id = keep();
    keep();
    const Answer one = replay(R"({"ids":[")" + id + R"("],"force":true})");
    EXPECT_EQ(one.text("job.total"), "1") << one.response.body;
    const std::string job = one.text("job.id");
    EXPECT_EQ(post("/api/v1/jobs/" + job + "/stop", "", owner_).text("status"), "stopped");
    const Answer again = replay(R"({"resume":")" + job + R"("})");
    EXPECT_EQ(again.text("job.id"), job);
    EXPECT_EQ(again.text("job.status"), "running");
    EXPECT_EQ(replay(R"({"resume":"none"})").status(), 404);
}

TEST_F(ReplayApi, IsInTheAuditRecord_S84) {
    const std::string id = keep();
    const std::string job = replay(R"({"ids":[")" + id + R"("],"force":true})").text("job.id");
    const Rows audit = store_.read([](Session& session) { return session.run(test_audit); });
    ASSERT_FALSE(audit.empty());
    EXPECT_EQ(audit.back().text(0), "ingress.replay");
    EXPECT_EQ(audit.back().text(1), job);
    EXPECT_NE(audit.back().text(2).find(R"("force":true)"), std::string::npos);
}

TEST_F(ReplayApi, UnderAKeyIsOneJob_G4) {
    keep();
    const std::string first = replay(R"({"instance":"sms"})", "k1").text("job.id");
    EXPECT_EQ(replay(R"({"instance":"sms"})", "k1").text("job.id"), first);
}

TEST_F(ReplayApi, HasToSayWhatIsMeant) {
    const std::string id = keep();
    EXPECT_EQ(faulty("{}"), "/ids");
    EXPECT_EQ(faulty(R"({"force":true})"), "/ids");
    EXPECT_EQ(faulty(R"({"ids":[]})"), "/ids");
    EXPECT_EQ(faulty(R"({"ids":["12"]})"), "/ids/0");
    EXPECT_EQ(faulty(R"({"ids":["abc"]})"), "/ids/0");
    EXPECT_EQ(faulty(R"({"ids":[")" + id + R"("],"instance":"sms"})"), "/ids");
    EXPECT_EQ(faulty(R"({"instance":"none"})"), "/instance");
    EXPECT_EQ(faulty(R"({"since":"yesterday"})"), "/since");
    EXPECT_EQ(faulty(R"({"instance":"sms","force":"yes"})"), "/force");
    EXPECT_EQ(faulty(R"({"resume":"x","force":true})"), "/force");
    EXPECT_EQ(faulty(R"({"instance":"sms","colour":"red"})"), "/colour");
}

TEST_F(ReplayApi, IsForOwnerAndAdminS69) {
    for (const char* role : {"admin", "expert", "agent", "viewer"}) {
        const bool in = role == std::string("admin");
        EXPECT_EQ(post("/api/v1/ingress/replay", R"({"instance":"sms"})", token_for(role)).status(),
                  in ? 202 : 403)
            << role;
    }
    EXPECT_EQ(post("/api/v1/ingress/replay", "{}", "").status(), 401);
}

}  // namespace
}  // namespace patchbay
