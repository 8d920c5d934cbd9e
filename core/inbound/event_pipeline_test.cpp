#include "inbound/event_pipeline.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "delivery/outbox.hpp"
#include "delivery/statements.hpp"
#include "inbound/statements.hpp"
#include "messaging/consent.hpp"
#include "messaging/statements.hpp"
#include "messaging/views.hpp"
#include "store/migrations.hpp"

namespace patchbay {
namespace {

const Statement jobs_of_queue{
    "test.jobs_of_queue", "SELECT COUNT(*) FROM jobs WHERE queue=$1", {}, true};
const Statement count_conversations{
    "test.count_conversations", "SELECT COUNT(*) FROM conversations", {}, true};

class Pipeline : public testing::Test {
protected:
    Pipeline() { sms.flow = "replies"; }
    ~Pipeline() override { std::filesystem::remove_all(folder); }

    Routed commit(const std::vector<Event>& events) {
        return store.write(
            [&](Transaction& tx) { return pipeline.commit(tx, sms, 0, events, clock.now_ms()); });
    }
    Routed text(const std::string& sid, const std::string& body) {
        return commit({message(sid, body)});
    }

    static Event message(const std::string& sid, const std::string& body) {
        Event event;
        event.topic = "message.received";
        event.dedupe_key = "message:" + sid;
        event.provider_id = sid;
        event.kind = "text";
        event.text = body;
        event.from = Address::phone("+15558675310");
        event.to = Address::phone("+15005550006");
        return event;
    }
    static Event status(const std::string& sid, DeliveryStatus status,
                        const std::string& ours = "") {
        Event event;
        event.topic = "delivery.changed";
        event.dedupe_key = "status:" + sid + ":" + std::to_string(static_cast<int>(status));
        event.provider_id = sid;
        event.our_message_id = ours;
        event.status = status;
        return event;
    }

    std::vector<MessageView> messages() {
        return store.read([](Session& session) {
            std::vector<MessageView> all;
            for (const Row& row :
                 session.run(sql::message_list_all, {std::string{"g"}, int64_t{1000}})) {
                all.push_back(MessageView::from_row(row));
            }
            return all;
        });
    }
    int64_t flow_jobs() {
        return store.read([](Session& session) {
            return session.first(jobs_of_queue, {std::string{"flow"}})->number(0);
        });
    }
    bool opted_out() {
        return store.read([](Session& session) {
            return is_opted_out(session, Address::phone("+15558675310"), "sms");
        });
    }

    std::filesystem::path folder = [] {
        std::string name = testing::TempDir() + "pipeline_XXXXXX";
        return std::filesystem::path{mkdtemp(name.data())};
    }();
    ManualClock clock;
    Store store{{.url = "sqlite:test.db", .base = folder, .ballast_bytes = 0}, clock};
    const bool migrated = (store.migrate("core", core_migrations()), true);
    Ids ids{clock};
    Numbers numbers{store};
    Mint mint{ids, numbers};
    InstanceConfig sms{.name = "sms", .plugin = "twilio_sms"};
    EventPipeline pipeline{mint};
};

TEST_F(Pipeline, TurnsATextIntoContactConversationMessageAndFlowJob) {
    const Routed routed = text("SM1", "Hello");
    EXPECT_EQ(routed.state, "routed");
    EXPECT_EQ(routed.queues, std::vector<std::string>{"flow"});
    ASSERT_EQ(messages().size(), 1u);
    const MessageView stored = messages().front();
    EXPECT_EQ(stored.body, "Hello");
    EXPECT_EQ(stored.direction, "in");
    EXPECT_EQ(stored.status, "received");
    EXPECT_EQ(stored.provider_id, "SM1");
    EXPECT_EQ(stored.peer, "+15558675310");
    EXPECT_EQ(flow_jobs(), 1);
}

// F30, F31: the provider repeats a webhook; it has no second effect, whenever it comes.
TEST_F(Pipeline, GivesARepeatNoSecondEffect_G3_F31) {
    text("SM1", "Hello");
    clock.advance(std::chrono::hours{24 * 7});
    const Routed repeat = text("SM1", "Hello");
    EXPECT_EQ(repeat.state, "routed");
    EXPECT_EQ(repeat.events, 0);
    EXPECT_EQ(repeat.repeats, 1);
    EXPECT_EQ(messages().size(), 1u);
    EXPECT_EQ(flow_jobs(), 1);
}

TEST_F(Pipeline, GivesAForcedRepeatItsEffectsOnceUnderItsMark_G24) {
    text("SM1", "Hello");
    const Event again{.topic = "message.received",
                      .dedupe_key = "message:SM1",
                      .provider_id = "SM1",
                      .text = "Hello",
                      .from = Address::phone("+15558675310"),
                      .to = Address::phone("+15005550006")};
    const auto force = [&](const std::string& mark) {
        return store.write([&](Transaction& tx) {
            return pipeline.commit(tx, sms, 0, {again}, clock.now_ms(), "",
                                   EventPipeline::Forced{mark});
        });
    };
    EXPECT_EQ(force("replay-1").events, 1);
    EXPECT_EQ(force("replay-1").events, 0) << "the same replay, after a kill";
    EXPECT_EQ(force("replay-2").events, 1);
    EXPECT_EQ(messages().size(), 3u);
}

TEST_F(Pipeline, MakesOneConversationOfAContactsFirstMessages_F32) {
    commit({message("SM1", "one"), message("SM2", "two")});
    const auto conversations =
        store.read([](Session& session) { return session.first(count_conversations)->number(0); });
    EXPECT_EQ(conversations, 1);
    EXPECT_EQ(messages().size(), 2u);
}

TEST_F(Pipeline, TakesStopAndStartAsConsentAndLeavesTheAnswerToTheProvider_S74) {
    text("SM1", "STOP");
    EXPECT_TRUE(opted_out());
    text("SM2", "Hello?");
    EXPECT_EQ(flow_jobs(), 0);  // Nobody is answered after an opt-out.
    clock.advance(std::chrono::seconds{1});
    text("SM3", "START");
    EXPECT_FALSE(opted_out());
    text("SM4", "Hello!");
    EXPECT_EQ(flow_jobs(), 1);
    EXPECT_EQ(messages().size(), 4u);  // All of it is kept.
}

TEST_F(Pipeline, TakesYesForAnAnswerWhereNobodyOptedOut) {
    text("SM1", "Yes");
    EXPECT_EQ(flow_jobs(), 1);
    EXPECT_FALSE(opted_out());
}

TEST_F(Pipeline, LeavesHelpToTheProvider) {
    text("SM1", "HELP");
    EXPECT_EQ(flow_jobs(), 0);
    EXPECT_EQ(messages().size(), 1u);
}

TEST_F(Pipeline, KeepsWhatIsNotForUsWithThePluginsReason_S49) {
    Event ignored;
    ignored.topic = topic_ignored;
    ignored.code = "unknown_account";
    const Routed routed = commit({ignored});
    EXPECT_EQ(routed.state, "ignored");
    EXPECT_EQ(routed.reason, "unknown_account");
    EXPECT_TRUE(messages().empty());
    EXPECT_EQ(commit({}).reason, "no_events");
}

TEST_F(Pipeline, RaisesTheStatusOfTheMessageThatACallbackNames_G8) {
    const QueuedMessage queued = store.write([&](Transaction& tx) {
        return queue_message(tx, mint,
                             {.channel = "sms", .to = Address::phone("+15558675310"), .text = "Hi"},
                             clock.now_ms());
    });
    commit({status("SM9", DeliveryStatus::delivered, queued.message_id)});
    commit({status("SM9", DeliveryStatus::sent, queued.message_id)});
    ASSERT_EQ(messages().size(), 1u);
    EXPECT_EQ(messages().front().status, "delivered");
}

TEST_F(Pipeline, RefusesAnEventWithoutDedupeKey) {
    Event broken = message("SM1", "Hello");
    broken.dedupe_key.clear();
    EXPECT_THROW(commit({broken}), Error);
    EXPECT_TRUE(messages().empty());
}

}  // namespace
}  // namespace patchbay
