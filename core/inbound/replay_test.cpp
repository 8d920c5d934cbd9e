// Webhooks taken to the plugin once more.
#include "inbound/replay.hpp"

#include "delivery/delivery_fixture.hpp"
#include "inbound/replay_statements.hpp"

namespace patchbay {
namespace {

const Statement test_ingress{
    "test.ingress",
    "INSERT INTO ingress(id,instance,route,method,url,headers,body,remote,received_at,state,"
    "reason) VALUES($1,$2,'message','POST','/','[]',$3,'192.0.2.1',$4,$5,NULL)"};
const Statement test_ingress_row{
    "test.ingress_row", "SELECT state,replays FROM ingress WHERE id=$1", {"PRIMARY"}};
const Statement test_messages{
    "test.messages", "SELECT body,provider_id,attributes FROM messages ORDER BY number", {}, true};
const Statement test_events{
    "test.events", "SELECT forced,dedupe_key FROM events ORDER BY id", {}, true};

/// What a webhook says is its body: one message with that text. "bad" makes it throw.
class Reader final : public FakeChannel {
public:
    std::vector<Event> receive(const Call&, const Request& request) override {
        if (request.body == "bad") throw std::runtime_error("a bug of the plugin");
        if (request.body == "odd") throw RequestError(400, "no form");
        return {{.topic = "message.received",
                 .dedupe_key = "message:" + request.body,
                 .provider_id = "SM" + request.body,
                 .text = request.body,
                 .from = Address::phone("+15558675310"),
                 .to = Address::phone("+15005550006")}};
    }
};

class Replay : public DeliveryTest {
protected:
    Replay() {
        config.plugins.resize(2);
        config.plugins[0].name = "sms";
        config.plugins[0].flow = "replies";
        config.plugins[1].name = "other";
        replayer.add_to(runner);
    }
    /// A kept webhook.
    int64_t keep(const std::string& body, const std::string& state,
                 const std::string& instance = "sms") {
        clock.advance(std::chrono::seconds{1});
        const int64_t id = ids.machine_id();
        store.write([&](Transaction& tx) {
            tx.run(test_ingress, {id, instance, Blob{body}, clock.now_ms(), state});
        });
        return id;
    }
    /// One that was routed when it came.
    int64_t routed(const std::string& body) {
        const int64_t id = keep(body, "routed");
        const auto events = reader->receive({}, {.body = body});
        store.write([&](Transaction& tx) {
            pipeline.commit(tx, config.plugins[0], id, events, clock.now_ms());
        });
        return id;
    }
    std::string start(const ReplayOrder& order) {
        const int64_t total =
            store.read([&](Session& session) { return count_replay(session, order); });
        return store.write(
            [&](Transaction& tx) { return start_replay(tx, ids, order, total, clock.now_ms()); });
    }
    ReplayOrder all(bool force = false) {
        clock.advance(std::chrono::seconds{1});
        return {.until = clock.now_ms(), .force = force, .actor = "user:1"};
    }
    /// One slice; false when there is nothing to do.
    bool step() {
        const auto due = store.write([&](Transaction& tx) {
            return claim_jobs(tx, {task_queue, "me", 1}, clock.now_ms(),
                              clock.steady() + job_lease);
        });
        if (due.empty()) return false;
        runner.run(due.front());
        return true;
    }
    TaskView finish(const std::string& id) {
        while (step()) {
        }
        return get(id);
    }
    TaskView get(const std::string& id) {
        return store.read([&](Session& session) { return find_task(session, id).value(); });
    }
    Rows messages() {
        return store.read([](Session& session) { return session.run(test_messages); });
    }
    Row row(int64_t id) {
        return store.read(
            [&](Session& session) { return session.first(test_ingress_row, {id}).value(); });
    }

    HubConfig config;
    std::shared_ptr<Reader> reader = std::make_shared<Reader>();
    CurrentConfig current{config};
    EventPipeline pipeline{mint};
    std::vector<std::string> woken;
    Replayer replayer{{.config = current,
                       .store = store,
                       .mint = mint,
                       .leases = [this](const std::string& name) -> PluginLeasePtr {
                           if (name == "other") return nullptr;
                           return std::static_pointer_cast<PluginLease>(reader);
                       },
                       .wake = [this](const std::string& queue) { woken.push_back(queue); }}};
    TaskRunner runner;
};

TEST_F(Replay, HasNoEffectTwice_G24_F37) {
    std::vector<int64_t> rows;
    for (int i = 0; i < 40; ++i) rows.push_back(routed(std::to_string(i)));
    const TaskView done = finish(start(all()));
    EXPECT_EQ(done.status, "done");
    EXPECT_EQ(done.total, 40);
    EXPECT_EQ(done.successful, 0);
    EXPECT_EQ(done.duplicates, 40);
    EXPECT_EQ(done.failed, 0);
    EXPECT_EQ(messages().size(), 40u);
    EXPECT_EQ(row(rows[7]).number(1), 1) << "that it was replayed shows";
    EXPECT_TRUE(woken.empty());
}

TEST_F(Replay, GivesWhatWasNeverUnderstoodItsEffectsNow_G24) {
    routed("1");
    const int64_t dead = keep("2", "dead");
    const int64_t ignored = keep("3", "ignored");
    const TaskView done = finish(start(all()));
    EXPECT_EQ(done.successful, 2);
    EXPECT_EQ(done.duplicates, 1);
    EXPECT_EQ(row(dead).text(0), "routed");
    EXPECT_EQ(row(ignored).text(0), "routed");
    EXPECT_EQ(messages().size(), 3u);
    EXPECT_EQ(woken.front(), "flow");
}

TEST_F(Replay, MarksEveryEffectOfAForcedOne_G24) {
    routed("1");
    const std::string id = start(all(true));
    EXPECT_EQ(finish(id).successful, 1);
    const Rows stored = messages();
    ASSERT_EQ(stored.size(), 2u);
    EXPECT_EQ(stored[1].text(0), "1");
    EXPECT_TRUE(stored[1].is_null(1)) << "the provider's id is the first one's";
    EXPECT_NE(stored[1].text(2).find(R"("forced_replay":")" + id), std::string::npos);
    const Rows events = store.read([](Session& session) { return session.run(test_events); });
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].number(0), 0);
    EXPECT_EQ(events[1].number(0), 1);
    EXPECT_EQ(finish(start(all(true))).successful, 1) << "forced again is had again";
    EXPECT_EQ(messages().size(), 3u);
}

TEST_F(Replay, StopsAndGoesOnWhereItStopped_F37) {
    for (int i = 0; i < 100; ++i) routed(std::to_string(i));
    const std::string id = start(all(true));
    ASSERT_TRUE(step());
    EXPECT_EQ(get(id).successful, 64) << "progress shows while it runs";
    EXPECT_TRUE(store.write([&](Transaction& tx) { return stop_replay(tx, id, clock.now_ms()); }));
    EXPECT_FALSE(store.write([&](Transaction& tx) { return stop_replay(tx, id, clock.now_ms()); }));
    EXPECT_EQ(finish(id).successful, 64);
    EXPECT_EQ(get(id).status, "stopped");
    EXPECT_TRUE(
        store.write([&](Transaction& tx) { return resume_replay(tx, ids, id, clock.now_ms()); }));
    const TaskView done = finish(id);
    EXPECT_EQ(done.status, "done");
    EXPECT_EQ(done.successful, 100);
    EXPECT_EQ(messages().size(), 200u) << "each once";
    EXPECT_FALSE(
        store.write([&](Transaction& tx) { return resume_replay(tx, ids, id, clock.now_ms()); }));
}

TEST_F(Replay, IsOneTaskHoweverManyJobsGoOnWithIt) {
    for (int i = 0; i < 130; ++i) routed(std::to_string(i));
    const std::string id = start(all(true));
    const auto stop_and_resume = [&] {
        store.write([&](Transaction& tx) {
            stop_replay(tx, id, clock.now_ms());
            resume_replay(tx, ids, id, clock.now_ms());
        });
    };
    stop_and_resume();
    stop_and_resume();
    EXPECT_EQ(finish(id).successful, 130);
    EXPECT_EQ(messages().size(), 260u);
}

TEST_F(Replay, GoesOnBehindWhatTheHubCannotRead) {
    const int64_t odd = keep("odd", "dead");
    const int64_t bad = keep("bad", "dead");
    keep("1", "dead");
    keep("2", "dead", "other");
    const TaskView done = finish(start(all()));
    EXPECT_EQ(done.status, "done");
    EXPECT_EQ(done.successful, 1);
    EXPECT_EQ(done.failed, 2) << "the plugin's bug, and an instance that is off";
    EXPECT_EQ(done.duplicates, 1);
    EXPECT_EQ(row(odd).text(0), "ignored");
    EXPECT_EQ(row(bad).text(0), "dead");
}

TEST_F(Replay, TakesThoseItWasGivenOrAStretchOfTime) {
    const int64_t first = keep("1", "dead");
    keep("2", "dead");
    const TimeMs middle = clock.now_ms() + 500;
    const int64_t third = keep("3", "dead");
    keep("4", "dead", "other");
    EXPECT_EQ(finish(start({.ids = {first, third}, .until = clock.now_ms()})).successful, 2);
    ReplayOrder order = all();
    order.since = middle;
    order.instance = "sms";
    const TaskView one = finish(start(order));
    EXPECT_EQ(one.total, 1);
    EXPECT_EQ(one.duplicates, 1);
    order.since = 0;
    EXPECT_EQ(finish(start(order)).successful, 1) << "the second was left";
}

TEST_F(Replay, HoldsFewLargeBodiesAtOnce_G19) {
    for (int i = 0; i < 6; ++i) keep(std::to_string(i) + std::string(3 << 20, 'x'), "ignored");
    const std::string id = start(all());
    ASSERT_TRUE(step());
    EXPECT_EQ(get(id).successful, 2);
    EXPECT_EQ(finish(id).successful, 6);
}

TEST_F(Replay, LeavesToTheRouterWhatWaitsForIt) {
    const int64_t waiting = keep("1", "received");
    EXPECT_EQ(finish(start(all())).duplicates, 1);
    EXPECT_EQ(row(waiting).text(0), "received");
    EXPECT_TRUE(messages().empty());
}

}  // namespace
}  // namespace patchbay
