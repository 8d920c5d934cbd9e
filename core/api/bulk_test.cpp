// One content to many: what is refused, what is kept, what becomes of each recipient.
#include "api/test_tasks.hpp"
#include "delivery/status.hpp"

namespace patchbay {
namespace {

const Statement test_sends{"test.bulk_sends",
                           "SELECT m.peer,m.body,j.priority,j.ukey,m.sender_id FROM messages m "
                           "JOIN jobs j ON j.ref=m.id ORDER BY m.id",
                           {},
                           true};
const Statement test_commits{"test.bulk_items", "SELECT COUNT(*) FROM task_items", {}, true};

class Bulk : public TasksTest {
protected:
    static std::string number(int i) { return "+1555867" + std::to_string(1000 + i); }
    static std::string list_of(int count, int from = 0) {
        std::string list;
        for (int i = from; i < from + count; ++i)
            list += (i > from ? ",\"" : "\"") + number(i) + '"';
        return list;
    }
    Answer bulk(const std::string& to, const std::string& more = {}, const std::string& key = {}) {
        return post(
            "/api/v1/messages/bulk",
            R"({"channel":"sms","text":"Open day on Friday","to":[)" + to + "]" + more + "}",
            owner_, key);
    }
    Answer job(const std::string& id, const std::string& query = {}) {
        return get("/api/v1/jobs/" + id + query, owner_);
    }
    Rows sends() {
        return store_.read([](Session& session) { return session.run(test_sends); });
    }
    void status(const std::string& message, const std::string& word) {
        store_.write([&](Transaction& tx) {
            raise_status(tx, {"sms", message}, word, word == "failed" ? "30006" : "", "",
                         clock_.now_ms());
        });
    }
    std::string owner_ = token_for("owner");
};

TEST_F(Bulk, HandsOverEachNumberOnceInTheOrderGiven_S73) {
    const Answer begun = bulk(R"("+15558675310","12","0015558675310","+1 555 867 5311","12")");
    ASSERT_EQ(begun.status(), 202) << begun.response.body;
    const std::string id = begun.text("job.id");
    EXPECT_EQ(begun.response.header("location"), "/api/v1/jobs/" + id);
    EXPECT_EQ(begun.text("job.status"), "running");
    EXPECT_EQ(begun.text("job.total"), "3");
    EXPECT_EQ(begun.text("job.duplicates"), "2");
    EXPECT_EQ(begun.text("job.queued"), "2");
    EXPECT_EQ(begun.text("job.failed"), "1");
    EXPECT_EQ(woken_, std::vector<std::string>{"tasks"});
    EXPECT_TRUE(sends().empty()) << "in the background";
    EXPECT_EQ(run_tasks(), 1u);
    ASSERT_EQ(sends().size(), 2u);
    EXPECT_EQ(sends()[0].text(1), "Open day on Friday");
    EXPECT_GT(sends()[0].number(2), 5) << "behind what people write";
    EXPECT_EQ(woken_.back(), "sms");
    const Answer handed = job(id);
    EXPECT_EQ(handed.text("status"), "running");
    EXPECT_EQ(handed.text("finished_at"), "");
    EXPECT_EQ(handed.text("results.0.to"), "+15558675310");
    EXPECT_EQ(handed.text("results.0.status"), "queued");
    EXPECT_EQ(handed.text("results.1.to"), "12");
    EXPECT_EQ(handed.text("results.1.error.code"), "invalid_phone_number");
    EXPECT_EQ(handed.text("results.2.to"), "+15558675311");
    status(handed.text("results.0.message_id"), "accepted");
    status(handed.text("results.2.message_id"), "sent");
    const Answer done = job(id);
    EXPECT_EQ(done.text("status"), "done");
    EXPECT_EQ(done.text("successful"), "2");
    EXPECT_NE(done.text("finished_at"), "");
    status(handed.text("results.2.message_id"), "failed");
    const Answer later = job(id);
    EXPECT_EQ(later.text("successful"), "1") << "a later failure moves a number to failed";
    EXPECT_EQ(later.text("failed"), "2");
    EXPECT_EQ(later.text("results.2.error.code"), "30006");
}

TEST_F(Bulk, CountsAndEstimatesInADryRun_S73) {
    const Answer dry = bulk(list_of(3) + R"(,"12")", R"(,"dry_run":true)");
    ASSERT_EQ(dry.status(), 200) << dry.response.body;
    EXPECT_EQ(dry.text("job.status"), "dry_run");
    EXPECT_EQ(dry.text("job.id"), "");
    EXPECT_EQ(dry.text("job.total"), "4");
    EXPECT_EQ(dry.text("job.failed"), "1");
    EXPECT_EQ(dry.text("job.estimate.segments"), "3");
    EXPECT_EQ(run_tasks(), 0u);
    const std::string smile =
        post("/api/v1/messages/bulk",
             R"({"channel":"sms","dry_run":true,"to":["+15558675310"],)"
             R"("text":")" +
                 std::string(66, 'a') + "\xF0\x9F\x99\x82 \xD0\xB6 a" + R"("})",
             owner_)
            .text("job.estimate.segments");
    EXPECT_EQ(smile, "2") << "71 UTF-16 units";
}

TEST_F(Bulk, AsksForAConfirmationAboveAThousand_S73) {
    const std::string many = list_of(1001);
    const Answer asked = bulk(many);
    EXPECT_EQ(asked.status(), 409);
    EXPECT_EQ(asked.text("code"), "confirmation_required");
    EXPECT_EQ(asked.text("recipients"), "1001");
    EXPECT_EQ(asked.text("estimate.segments"), "1001");
    EXPECT_EQ(bulk(many, R"(,"confirm":1000)").status(), 409) << "not the number of recipients";
    EXPECT_EQ(bulk(many, R"(,"confirm":1001)").status(), 202);
    EXPECT_EQ(bulk(list_of(1000)).status(), 202) << "a thousand need none";
    EXPECT_EQ(bulk(list_of(2), R"(,"confirm":3)").status(), 409) << "a wrong one is a mistake";
}

TEST_F(Bulk, KeepsToTheDailyCap_S73) {
    config_.plugins[0].limits.bulk_per_day = 5;
    const std::string first = bulk(list_of(3)).text("job.id");
    EXPECT_EQ(bulk(list_of(3, 3)).text("code"), "daily_cap");
    EXPECT_EQ(bulk(list_of(2, 3)).status(), 202);
    clock_.advance(std::chrono::hours{25});
    owner_ = token_for("owner");  // The other one has expired.
    EXPECT_EQ(bulk(list_of(5, 10)).status(), 202);
}

TEST_F(Bulk, RefusesWhatCannotBeSent_S33) {
    const auto refused = [&](const std::string& body) {
        return post("/api/v1/messages/bulk", body, owner_);
    };
    const Answer bad = bulk(R"("12","abc")");
    EXPECT_EQ(bad.status(), 422);
    EXPECT_EQ(bad.text("code"), "invalid_phone_number");
    EXPECT_EQ(bad.text("errors.1.pointer"), "/to/1");
    EXPECT_EQ(refused(R"({"channel":"sms","text":"x"})").text("errors.0.pointer"), "/to");
    EXPECT_EQ(refused(R"({"channel":"sms","text":"x","to":[]})").text("errors.0.pointer"), "/to");
    EXPECT_EQ(refused(R"({"channel":"sms","text":"x","to":[1]})").text("errors.0.pointer"),
              "/to/0");
    EXPECT_EQ(refused(R"({"channel":"sms","to":["+15558675310"]})").text("errors.0.code"),
              "missing_field");
    EXPECT_EQ(refused(R"({"channel":"fax","text":"x","to":["+15558675310"]})").text("code"),
              "unknown_channel");
    EXPECT_EQ(refused(R"({"channel":"sms","text":")" + std::string(5000, 'x') +
                      R"(","to":["+15558675310"]})")
                  .text("code"),
              "text_too_long");
    EXPECT_EQ(bulk(list_of(1), R"(,"confirm":"1")").text("errors.0.pointer"), "/confirm");
}

TEST_F(Bulk, LeavesOutWhoOptedOutOnly) {
    talk({.number = number(1)});
    const std::string contact =
        get("/api/v1/contacts?address=%2B15558671001", owner_).text("items.0.id");
    post("/api/v1/contacts/" + contact + "/opt-out", "{}", owner_);
    const std::string id = bulk(list_of(3)).text("job.id");
    run_tasks();
    EXPECT_EQ(sends().size(), 2u);
    const Answer done = job(id);
    EXPECT_EQ(done.text("failed"), "1");
    EXPECT_EQ(done.text("results.1.status"), "failed");
    EXPECT_EQ(done.text("results.1.error.code"), "recipient_opted_out");
    EXPECT_EQ(done.text("results.1.message_id"), "");
}

TEST_F(Bulk, ShowsItsResultsInPages) {
    const std::string id = bulk(list_of(5)).text("job.id");
    run_tasks();
    const Answer first = job(id, "?limit=2");
    EXPECT_EQ(first.count("results"), 2u);
    EXPECT_EQ(first.text("results.0.to"), number(0));
    const Answer second = job(id, "?limit=2&cursor=" + first.text("next"));
    EXPECT_EQ(second.text("results.0.to"), number(2));
    const Answer last = job(id, "?limit=2&cursor=" + second.text("next"));
    EXPECT_EQ(last.count("results"), 1u);
    EXPECT_EQ(last.text("next"), "");
    EXPECT_EQ(job(id, "?cursor=x").text("code"), "invalid_cursor");
    EXPECT_EQ(job(id, "?page=2").text("code"), "unknown_parameter");
}

TEST_F(Bulk, StopsWhatIsNotWithTheProvider_S73) {
    const std::string id = bulk(list_of(200)).text("job.id");
    run_tasks();
    const std::string with_provider = job(id).text("results.0.message_id");
    status(with_provider, "accepted");
    const Answer stopped = post("/api/v1/jobs/" + id + "/stop", "", owner_);
    ASSERT_EQ(stopped.status(), 200) << stopped.response.body;
    EXPECT_EQ(stopped.text("status"), "stopped");
    EXPECT_EQ(run_tasks(), 1u);
    const Answer after = job(id);
    EXPECT_EQ(after.text("successful"), "1");
    EXPECT_EQ(after.text("failed"), "199");
    EXPECT_EQ(after.text("queued"), "0");
    EXPECT_EQ(after.text("results.1.status"), "cancelled");
    EXPECT_NE(after.text("finished_at"), "");
    EXPECT_EQ(get("/api/v1/messages?status=cancelled&limit=200", owner_).count("items"), 199u);
    EXPECT_EQ(post("/api/v1/jobs/" + id + "/stop", "", owner_).status(), 200) << "again: nothing";
    config_.plugins[0].limits.bulk_per_day = 201;
    EXPECT_EQ(bulk(list_of(200, 300)).status(), 202) << "what was called off does not count";
}

TEST_F(Bulk, StoppedBeforeItBeganHandsOverNothing_S73) {
    const std::string id = bulk(list_of(3)).text("job.id");
    EXPECT_EQ(post("/api/v1/jobs/" + id + "/stop", "", owner_).text("status"), "stopped");
    run_tasks();
    EXPECT_TRUE(sends().empty());
    const Answer after = job(id);
    EXPECT_EQ(after.text("failed"), "3");
    EXPECT_EQ(after.text("results.2.status"), "cancelled");
}

TEST_F(Bulk, GoesOnWhereAnotherProcessStoodWithoutDoubles_G4) {
    const std::string id = bulk(list_of(100)).text("job.id");
    const auto claimed = [&] {
        return store_.write([&](Transaction& tx) {
            return claim_jobs(tx, {task_queue, "dead", 1}, clock_.now_ms(),
                              clock_.steady() + job_lease);
        });
    };
    const auto before = claimed();
    ASSERT_EQ(before.size(), 1u);
    tasks_.run(before.front());
    // As after a kill between the last slice and the end of the job: the whole of it once more.
    store_.write([&](Transaction& tx) {
        tx.run_text("UPDATE tasks SET status='running',finished_at=NULL", {});
        tx.run_text("UPDATE jobs SET state='ready',run_at=0 WHERE queue='tasks'", {});
    });
    EXPECT_EQ(run_tasks(), 1u);
    EXPECT_EQ(sends().size(), 100u);
    EXPECT_EQ(job(id).text("total"), "100");
}

TEST_F(Bulk, IsBegunOnceUnderAKey_G4) {
    const Answer first = bulk(list_of(2), "", "k1");
    const Answer again = bulk(list_of(2), "", "k1");
    EXPECT_EQ(again.response.body, first.response.body);
    EXPECT_EQ(again.response.header("idempotent-replayed"), "true");
    EXPECT_EQ(bulk(list_of(3), "", "k1").text("code"), "idempotency_mismatch");
    run_tasks();
    EXPECT_EQ(sends().size(), 2u);
}

TEST_F(Bulk, KeepsToTheDepartmentsOfWhoAsked_S69) {
    talk({.number = number(0), .department = "Housekeeping"});
    const std::string agent = token_for("agent", {"Reception"});
    const Answer begun = post("/api/v1/messages/bulk",
                              R"({"channel":"sms","text":"Hi","to":[)" + list_of(2) + "]}", agent);
    ASSERT_EQ(begun.status(), 202) << begun.response.body;
    run_tasks();
    const std::string path = "/api/v1/jobs/" + begun.text("job.id");
    const Answer done = get(path, agent);
    EXPECT_EQ(done.text("results.0.error.code"), "unknown_id");
    EXPECT_EQ(done.text("results.1.status"), "queued");
    ASSERT_EQ(sends().size(), 1u);
    EXPECT_EQ(sends()[0].text(4), get("/api/v1/auth/me", agent).text("id"));
    EXPECT_EQ(get(path, owner_).status(), 200);
    EXPECT_EQ(get(path, token_for("agent", {"Reception"})).status(), 404) << "not theirs";
    for (const char* role : {"viewer", "expert"}) {
        EXPECT_EQ(get(path, token_for(role)).status(), 403) << role;
        EXPECT_EQ(post(path + "/stop", "", token_for(role)).status(), 403) << role;
        EXPECT_EQ(post("/api/v1/messages/bulk", "{}", token_for(role)).status(), 403) << role;
    }
    EXPECT_EQ(get("/api/v1/jobs/none", owner_).status(), 404);
}

TEST_F(Bulk, WritesInSmallPieces) {
    const uint64_t before = store_.commits();
    bulk(list_of(1000));
    EXPECT_LE(store_.commits() - before, 2u);
    const auto items = [&] {
        return store_.read([](Session& s) { return s.first(test_commits)->number(0); });
    };
    EXPECT_EQ(items(), 0) << "one row for all of them";
    run_tasks();
    EXPECT_EQ(items(), 1000);
    EXPECT_GT(store_.commits() - before, 10u);
}

}  // namespace
}  // namespace patchbay
