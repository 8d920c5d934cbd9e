// Operations and events between plugins, as jobs.
#include "delivery/plugin_jobs.hpp"

#include <patchbay/host.hpp>

#include "delivery/delivery_fixture.hpp"
#include "messaging/changes.hpp"
#include "messaging/conversations.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

/// Notes what it is asked, and says what the test wants. [any thread]
class Worker : public FakeChannel {
public:
    std::string perform(const Call&, const OperationInput& input) override {
        note("perform " + input.name + " " + input.input + " " + input.key + " by " + input.caller);
        if (fails) fails();
        return R"({"done":true})";
    }
    void handle(const Call&, const Event& event) override {
        note(event.topic + " " + event.text + " " + event.data);
        last = event;
        if (fails) fails();
    }
    std::vector<std::string> heard() const {
        const std::lock_guard lock(mutex_);
        return heard_;
    }
    std::function<void()> fails;
    Event last;

private:
    void note(std::string what) {
        const std::lock_guard lock(mutex_);
        heard_.push_back(std::move(what));
    }
    mutable std::mutex mutex_;
    std::vector<std::string> heard_;
};

class PluginJobs : public DeliveryTest {
protected:
    PluginJobs() {
        register_operation_service(services, operations);
        register_event_service(services, events);
    }
    static int32_t call(void* self, uint32_t method, pb_bytes in, pb_sink out) {
        return detail::guarded(out, [&] {
            detail::deliver(out, static_cast<HostServices*>(self)->call({"desk", "desk"}, method,
                                                                        detail::view(in)));
        });
    }
    PluginJobNeeds needs() {
        return {.store = store,
                .ids = ids,
                .leases = [this](const std::string&) -> PluginLeasePtr {
                    return off ? nullptr : worker;
                },
                .wake = [this](const std::string& queue) { woken.push_back(queue); }};
    }
    /// Claims what is due in a queue and works on it; how many there were.
    template <class Jobs>
    size_t work_off(const std::string& queue, Jobs& on) {
        const auto claimed = store.write([&](Transaction& tx) {
            return claim_jobs(tx, {queue, "me", 10}, clock.now_ms(), clock.steady() + job_lease);
        });
        for (const ClaimedJob& job : claimed) on.run(job);
        return claimed.size();
    }
    std::vector<std::string> states() {
        return store.read([](Session& session) {
            std::vector<std::string> all;
            for (const Row& row : session.run(test_jobs)) all.push_back(row.text(1));
            return all;
        });
    }
    using Texts = std::vector<std::string>;

    bool off = false;
    std::vector<std::string> woken;
    std::shared_ptr<Worker> worker = std::make_shared<Worker>();
    PluginOperations operations{needs(), [](const std::string& name) { return name == "rooms"; }};
    PluginEvents events{needs(), [](Session&, const WebhookEvent& event) {
                            JsonObject json = make_object();
                            json->set("id", event.object);
                            return std::optional{json};
                        }};
    HostServices services;
    pb_host raw{sizeof(pb_host), PB_ABI_MINOR, &services, &PluginJobs::call};
    Host host{&raw};
};

const operations::OperationCall free_a_room{
    .instance = "rooms", .name = "free", .input = R"({"room":1})", .key = "stay-7"};

TEST_F(PluginJobs, PerformAtOnceWhatAnotherInstanceDoes) {
    EXPECT_EQ(host.perform({}, free_a_room), R"({"done":true})");
    EXPECT_EQ(worker->heard(), Texts{R"(perform free {"room":1} stay-7 by desk)"});
    EXPECT_THROW(host.perform({}, {.instance = "none", .name = "free", .key = "k"}), Error);
    EXPECT_THROW(host.perform({}, {.instance = "rooms", .name = "free"}), Error) << "no key";
    worker->fails = [] { throw Error(ErrorKind::conflict, "taken"); };
    try {
        host.perform({}, free_a_room);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::conflict);
    }
    off = true;
    try {
        host.perform({}, free_a_room);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::unavailable);
        EXPECT_FALSE(error.request_left);
    }
}

TEST_F(PluginJobs, DoWhatWasQueuedOnceForEachKey) {
    host.queue(free_a_room);
    host.queue(free_a_room);
    EXPECT_EQ(woken, (Texts{"operations:rooms", "operations:rooms"}));
    EXPECT_EQ(work_off("operations:rooms", operations), 1u);
    EXPECT_EQ(work_off("operations:rooms", operations), 0u);
    host.queue(free_a_room);
    EXPECT_EQ(work_off("operations:rooms", operations), 0u) << "done is done";
    EXPECT_EQ(worker->heard(), Texts{R"(perform free {"room":1} stay-7 by desk)"});
    EXPECT_EQ(states(), Texts{"done"});
}

TEST_F(PluginJobs, TryAgainWhatMayGoBetterAndGiveUpWhatWillNot) {
    host.queue(free_a_room);
    worker->fails = [] {
        Error error(ErrorKind::rate_limited, "later");
        error.retry_after = 60s;
        throw error;
    };
    work_off("operations:rooms", operations);
    EXPECT_EQ(states(), Texts{"ready"});
    clock.advance(59s);
    EXPECT_EQ(work_off("operations:rooms", operations), 0u);
    clock.advance(1s);
    worker->fails = [] { throw Error(ErrorKind::internal, "a bug"); };
    EXPECT_THROW(work_off("operations:rooms", operations), Error) << "the runner's to repeat";

    auto other = free_a_room;
    other.key = "stay-8";
    host.queue(other);
    worker->fails = [] { throw Error(ErrorKind::refused, "no such room"); };
    work_off("operations:rooms", operations);
    EXPECT_EQ(states()[1], "dead");
}

TEST_F(PluginJobs, TellEventsToWhoWantsThemOnceForEachKey) {
    events.subscribe("hears", {"note.*"});
    events.subscribe("deaf", {"stay.*"});
    const Event event{.topic = "note.added", .dedupe_key = "note:1", .text = "hello"};
    host.publish(event);
    host.publish(event);
    EXPECT_EQ(work_off("events:hears", events), 1u);
    EXPECT_EQ(work_off("events:deaf", events), 0u);
    EXPECT_EQ(worker->heard(), Texts{"note.added hello "});
    EXPECT_THROW(host.publish({.topic = "note.added"}), Error);
    events.subscribe("hears", {});
    host.publish({.topic = "note.added", .dedupe_key = "note:2"});
    EXPECT_EQ(work_off("events:hears", events), 0u);
}

TEST_F(PluginJobs, NeverTellTwoEventsOfOneConversationAtOnce) {
    events.subscribe("hears", {"*"});
    const auto publish = [&](const std::string& key, const std::string& conversation) {
        host.publish(
            {.topic = "note.added", .dedupe_key = key, .conversation = conversation, .text = key});
    };
    publish("a1", "a");
    publish("a2", "a");
    publish("b1", "b");
    EXPECT_EQ(states(), (Texts{"ready", "waiting", "ready"}));
    EXPECT_EQ(work_off("events:hears", events), 2u);
    EXPECT_EQ(work_off("events:hears", events), 1u);
    EXPECT_EQ(worker->heard(), (Texts{"note.added a1 ", "note.added b1 ", "note.added a2 "}));
}

TEST_F(PluginJobs, TellWhatTheHubNotes) {
    events.subscribe("hears", {"message.*"});
    store.on_noted([this](Transaction& tx, const Changes& changes) { events.follow(tx, changes); });
    const QueuedMessage queued = queue("+15558675310", "Hi");
    store.on_noted({});
    EXPECT_EQ(work_off("events:hears", events), 1u);
    EXPECT_EQ(worker->last.topic, "message.created");
    EXPECT_EQ(worker->last.our_message_id, queued.message_id);
    EXPECT_EQ(worker->last.conversation, queued.conversation_id);
    EXPECT_EQ(worker->last.text, "Hi");
    EXPECT_EQ(worker->last.to.value, "+15558675310");
    EXPECT_NE(worker->last.data.find(queued.message_id), std::string::npos);
}

TEST_F(PluginJobs, StayReadyWhileTheInstanceIsOff) {
    host.queue(free_a_room);
    off = true;
    const auto gate = plugin_gate(needs().leases, "rooms");
    EXPECT_EQ(gate->may_claim(4, 0).count, 0u);
    EXPECT_EQ(work_off("operations:rooms", operations), 1u);
    EXPECT_EQ(states(), Texts{"ready"}) << "it went between the claim and the call";
    off = false;
    clock.advance(1s);
    EXPECT_EQ(gate->may_claim(4, 0).count, 4u);
    EXPECT_EQ(work_off("operations:rooms", operations), 1u);
    EXPECT_EQ(states(), Texts{"done"});
}

}  // namespace
}  // namespace patchbay
