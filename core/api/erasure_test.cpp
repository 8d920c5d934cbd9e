// What is kept about a person, handed out and forgotten (S86).
#include <fstream>

#include "api/test_tasks.hpp"
#include "delivery/status.hpp"
#include "messaging/consent.hpp"

namespace patchbay {
namespace {

const Statement test_erasures{"test.erasures", "SELECT proof,counts,actor FROM erasures", {}, true};
const Statement test_ingress_add{
    "test.ingress_add",
    "INSERT INTO ingress(id,instance,route,method,url,headers,body,remote,received_at) "
    "VALUES($1,'sms','message','POST','/hooks/sms/message','[]',$2,'192.0.2.1',1)"};
const Statement test_ingress_count{"test.ingress_count", "SELECT COUNT(*) FROM ingress", {}, true};

class Erasure : public TasksTest {
protected:
    std::string contact_of(const std::string& conversation) {
        return get("/api/v1/conversations/" + conversation, owner_).text("contact.id");
    }
    Answer erase(const std::string& id, const std::string& name = "Ann Lee") {
        return post("/api/v1/contacts/" + id + "/erase", R"({"confirm":")" + name + R"("})",
                    owner_);
    }
    /// Everything that lies in the store's folder.
    std::string files() const {
        std::string all;
        for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
            std::ifstream file(entry.path(), std::ios::binary);
            all.append(std::istreambuf_iterator<char>(file), {});
        }
        return all;
    }
    bool is_in_files(const std::string& text) const {
        return files().find(text) != std::string::npos;
    }
    /// The log is emptied behind a commit, and by the next one where a reader still needed it.
    bool leaves_the_files(const std::string& text) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
        while (is_in_files(text)) {
            if (std::chrono::steady_clock::now() > end) return false;
            store_.write([](Transaction&) {});
        }
        return true;
    }
    std::string owner_ = token_for("owner");
    const std::string number_ = "+15558675310", other_ = "+15558675311";
};

TEST_F(Erasure, ExportHoldsWhatIsKept_S86) {
    const std::string conversation = talk({.number = number_}, "the violet umbrella");
    const std::string id = contact_of(conversation);
    talk({.number = other_}, "somebody else");
    post("/api/v1/contacts/" + id + "/opt-out", R"({"reason":"asked"})", owner_);
    const Answer begun = post("/api/v1/contacts/" + id + "/export", "", owner_, "e1");
    ASSERT_EQ(begun.status(), 202) << begun.response.body;
    EXPECT_EQ(begun.text("kind"), "export");
    EXPECT_EQ(begun.text("status"), "running");
    EXPECT_EQ(post("/api/v1/contacts/" + id + "/export", "", owner_, "e1").text("id"),
              begun.text("id"));
    EXPECT_EQ(run_tasks(), 1u);
    const Answer done = get("/api/v1/jobs/" + begun.text("id"), owner_);
    EXPECT_EQ(done.text("status"), "done");
    const std::string url = done.text("results.0.url");
    const Answer file = get(url, owner_);
    ASSERT_EQ(file.status(), 200) << done.response.body;
    EXPECT_EQ(file.text("contact.id"), id);
    EXPECT_EQ(file.text("contact.addresses.0.value"), number_);
    EXPECT_EQ(file.text("consents.0.state"), "out");
    EXPECT_EQ(file.text("consent_history.0.evidence"), "asked");
    EXPECT_EQ(file.text("conversations.0.id"), conversation);
    EXPECT_EQ(file.text("conversations.0.messages.0.text"), "the violet umbrella");
    EXPECT_EQ(file.response.body.find("somebody else"), std::string::npos);
    for (const char* role : {"agent", "viewer", "expert"}) {
        EXPECT_EQ(get(url, token_for(role)).status(), 403) << role;
        EXPECT_EQ(post("/api/v1/contacts/" + id + "/export", "", token_for(role)).status(), 403);
    }
}

TEST_F(Erasure, LeavesNoTextInTheDatabaseFile_S86) {
    const std::string text = "the violet umbrella", answer = "we found the umbrella stand";
    const std::string conversation = talk({.number = number_}, text);
    const std::string id = contact_of(conversation);
    store_.write([&](Transaction& tx) {
        tx.run(test_ingress_add,
               {int64_t{7}, Blob{"From=%2B15558675310&Body=the+violet+umbrella"}});
        tx.run(test_ingress_add, {int64_t{8}, Blob{"From=%2B15558675311&Body=of+another"}});
    });
    const std::string path = "/api/v1/conversations/" + conversation + "/messages";
    ASSERT_EQ(post(path, R"({"text":")" + answer + R"("})", owner_, "k1").status(), 202);
    ASSERT_TRUE(is_in_files(text));
    ASSERT_TRUE(is_in_files(answer));
    const Answer begun = erase(id);
    ASSERT_EQ(begun.status(), 202) << begun.response.body;
    EXPECT_EQ(run_tasks(), 1u);
    EXPECT_EQ(get("/api/v1/jobs/" + begun.text("id"), owner_).text("status"), "done");
    for (const std::string& gone : {text, answer, std::string("the+violet+umbrella"),
                                    std::string("15558675310"), std::string("Ann Lee")}) {
        EXPECT_TRUE(leaves_the_files(gone)) << gone;
    }
    EXPECT_EQ(store_.read([](Session& s) { return s.first(test_ingress_count)->number(0); }), 1)
        << "another's webhook stays";
    const Rows proofs = store_.read([](Session& s) { return s.run(test_erasures); });
    ASSERT_EQ(proofs.size(), 1u);
    EXPECT_EQ(proofs[0].text(0).size(), 64u);
    const auto counts = parse_json_object(std::string_view(proofs[0].text(1)));
    EXPECT_EQ(text_at(counts, "messages"), "2");
    EXPECT_EQ(text_at(counts, "ingress"), "1");
    EXPECT_EQ(text_at(counts, "answers"), "1");
    EXPECT_EQ(get("/api/v1/contacts/" + id, owner_).status(), 404);
    EXPECT_EQ(get("/api/v1/contacts", owner_).count("items"), 0u);
    EXPECT_EQ(get(path, owner_).text("items.0.text"), "") << "the row is there, for the counts";
}

TEST_F(Erasure, CallsOffWhatWaitsAndBlocksWhatComes_F66) {
    const std::string conversation = talk({.number = number_});
    const std::string id = contact_of(conversation);
    const std::string path = "/api/v1/conversations/" + conversation;
    const Answer waiting = post(path + "/messages", R"({"text":"not yet gone"})", owner_);
    ASSERT_EQ(waiting.status(), 202);
    ASSERT_EQ(erase(id).status(), 202);
    EXPECT_EQ(get("/api/v1/messages/" + waiting.text("id"), owner_).text("status"), "cancelled")
        << "at once, before the job runs";
    const auto blocked = [&] {
        EXPECT_EQ(post(path + "/messages", R"({"text":"x"})", owner_).text("code"),
                  "conversation_closed");
        EXPECT_EQ(post(path + "/reopen", "", owner_).text("code"), "conversation_closed");
        EXPECT_EQ(post("/api/v1/messages",
                       R"({"channel":"sms","to":")" + number_ + R"(","text":"x"})", owner_)
                      .text("code"),
                  "recipient_opted_out");
        EXPECT_EQ(post("/api/v1/messages/" + waiting.text("id") + "/resend", "", owner_).status(),
                  409);
    };
    blocked();
    run_tasks();
    EXPECT_EQ(post("/api/v1/messages", R"({"channel":"sms","to":")" + number_ + R"(","text":"x"})",
                   owner_)
                  .text("code"),
              "recipient_opted_out");
    const std::string again = talk({.number = number_}, "it is me again");
    EXPECT_NE(contact_of(again), id) << "who writes again is a new contact";
    EXPECT_EQ(
        post("/api/v1/conversations/" + again + "/messages", R"({"text":"Hi"})", owner_).status(),
        202);
    EXPECT_EQ(erase(contact_of(again)).status(), 202) << "and may be forgotten again";
}

TEST_F(Erasure, WaitsForASendThatIsUnderWay_F66) {
    const std::string conversation = talk({.number = number_});
    const std::string id = contact_of(conversation);
    const Answer sent = post("/api/v1/conversations/" + conversation + "/messages",
                             R"({"text":"this moment"})", owner_);
    const auto running = store_.write([&](Transaction& tx) {
        return claim_jobs(tx, {"sms", "sender", 1}, clock_.now_ms(), clock_.steady() + job_lease);
    });
    ASSERT_EQ(running.size(), 1u);
    const std::string job = erase(id).text("id");
    EXPECT_EQ(run_tasks(), 1u);
    EXPECT_EQ(get("/api/v1/jobs/" + job, owner_).text("status"), "running");
    store_.write([&](Transaction& tx) {
        touch_lane(tx, running.front().lane);
        raise_status(tx, {"sms", sent.text("id")}, "accepted", "", "", clock_.now_ms());
        end_job(tx, running.front(), "done", "", clock_.now_ms());
    });
    clock_.advance(std::chrono::seconds{1});
    EXPECT_EQ(run_tasks(), 1u);
    EXPECT_EQ(get("/api/v1/jobs/" + job, owner_).text("status"), "done");
    EXPECT_TRUE(leaves_the_files("this moment"));
}

TEST_F(Erasure, TakesExportsAndBulkRecipientsAlong_S86) {
    const std::string id = contact_of(talk({.number = number_}, "the violet umbrella"));
    const std::string exported = post("/api/v1/contacts/" + id + "/export", "", owner_).text("id");
    const std::string bulk = post("/api/v1/messages/bulk",
                                  R"({"channel":"sms","text":"Open day","to":[")" + number_ +
                                      R"(",")" + other_ + R"("]})",
                                  owner_)
                                 .text("job.id");
    run_tasks();
    ASSERT_EQ(get("/api/v1/jobs/" + exported + "/result", owner_).status(), 200);
    erase(id);
    run_tasks();
    EXPECT_EQ(get("/api/v1/jobs/" + exported + "/result", owner_).status(), 404);
    const Answer results = get("/api/v1/jobs/" + bulk, owner_);
    EXPECT_EQ(results.text("results.0.to"), "erased");
    EXPECT_EQ(results.text("results.1.to"), other_);
    EXPECT_TRUE(leaves_the_files("15558675310"));
    EXPECT_TRUE(leaves_the_files("the violet umbrella"));
}

TEST_F(Erasure, RemovesFilesThatNobodyElseWasSent_S86) {
    const std::string first = talk({.number = number_}), second = talk({.number = other_});
    const auto add_file = [&](const std::string& id, const std::string& conversation,
                              const std::string& key) {
        const std::string message =
            get("/api/v1/conversations/" + conversation + "/messages", owner_).text("items.0.id");
        store_.write([&](Transaction& tx) {
            tx.run_text(
                "INSERT INTO media(id,message_id,state,type,blob_key,created_at,updated_at) "
                "VALUES($1,$2,'stored','image/png',$3,1,1)",
                {id, message, key});
        });
    };
    add_file("f1", first, "only theirs");
    add_file("f2", first, "of both");
    add_file("f3", second, "of both");
    const std::string one = contact_of(first), other = contact_of(second);
    erase(one);
    run_tasks();
    EXPECT_EQ(removed_files_, std::vector<std::string>{"only theirs"});
    erase(other);
    run_tasks();
    EXPECT_EQ(removed_files_, (std::vector<std::string>{"only theirs", "of both"}));
}

TEST_F(Erasure, IsOnRecordAsExportIs_S84) {
    const std::string id = contact_of(talk({.number = number_}));
    post("/api/v1/contacts/" + id + "/export", "", owner_);
    erase(id);
    const Answer audit = get("/api/v1/audit", owner_);
    EXPECT_EQ(audit.text("items.0.action"), "contact.erase");
    EXPECT_EQ(audit.text("items.1.action"), "contact.export");
    EXPECT_NE(audit.response.body.find(id), std::string::npos);
    EXPECT_EQ(audit.response.body.find(number_), std::string::npos);
}

TEST_F(Erasure, AsksForTheNameAndAnOwner) {
    const std::string id = contact_of(talk({.number = number_}));
    EXPECT_EQ(erase(id, "Ann").text("errors.0.pointer"), "/confirm");
    EXPECT_EQ(post("/api/v1/contacts/" + id + "/erase", "{}", owner_).text("errors.0.code"),
              "missing_field");
    for (const char* role : {"agent", "viewer", "expert"}) {
        EXPECT_EQ(
            post("/api/v1/contacts/" + id + "/erase", R"({"confirm":"Ann Lee"})", token_for(role))
                .status(),
            403)
            << role;
    }
    EXPECT_EQ(erase("none").status(), 404);
    EXPECT_EQ(get("/api/v1/contacts/" + id, owner_).status(), 200) << "nothing was erased";
}

}  // namespace
}  // namespace patchbay
