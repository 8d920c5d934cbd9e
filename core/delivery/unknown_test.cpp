#include "delivery/unknown.hpp"

#include "delivery/delivery_fixture.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class UnknownOutcomes : public SenderTest {
protected:
    /// A message whose answer got lost.
    QueuedMessage lose_one(const std::optional<Template>& from_template = {}) {
        channel->throws(ConnectionFailed(true, "reset"));
        Draft draft;
        draft.channel = "sms";
        draft.to = Address::phone("+15558675310");
        draft.text = "hello";
        draft.from_template = from_template;
        const QueuedMessage queued = queue(draft);
        EXPECT_TRUE(send_next());
        return queued;
    }
    UnknownResolver resolver{context, [this](const std::string&) { return gate; }};
};

TEST_F(UnknownOutcomes, WaitFifteenSecondsForACallbackFirst_F20) {
    channel->can.look_up = true;
    lose_one();
    clock.advance(14s);
    EXPECT_EQ(resolver.step(), 0u);
    clock.advance(1s);
    EXPECT_EQ(resolver.step(), 1u);
    EXPECT_EQ(channel->looks(), 1);
}

TEST_F(UnknownOutcomes, EndWhenTheLookUpFindsTheMessage_F20) {
    channel->can.look_up = true;
    channel->look_up_answer = [](const OutboundMessage&) {
        SendResult found = SendResult::accepted("SM7");
        found.status = DeliveryStatus::delivered;
        return found;
    };
    const QueuedMessage queued = lose_one();
    clock.advance(15s);
    resolver.step();
    EXPECT_EQ(job_state(queued.job_id), "done");
    EXPECT_EQ(status_of(queued.message_id), "delivered");
    EXPECT_EQ(callback("SM7", "read").message_id, queued.message_id);
    EXPECT_EQ(channel->sent().size(), 1u);
    EXPECT_EQ(tries(), (std::vector<std::string>{"unknown", "found"}));
    expect_sound();
}

TEST_F(UnknownOutcomes, AreSentAgainWhenTheLookUpProvesTheyAreAbsent_F20) {
    channel->can.look_up = true;  // And it finds nothing.
    const QueuedMessage queued = lose_one();
    clock.advance(15s);
    resolver.step();
    ASSERT_TRUE(send_next());
    EXPECT_EQ(channel->sent().size(), 2u);
    EXPECT_EQ(status_of(queued.message_id), "accepted");
    expect_sound();
}

TEST_F(UnknownOutcomes, AreLookedUpAgainWhileTheProviderCannotTellThenHeld) {
    channel->can.look_up = true;
    channel->can.when_unknown = UnknownPolicy::hold;
    channel->look_up_answer = [](const OutboundMessage&) -> SendResult {
        throw ConnectionFailed(false, "down");
    };
    const QueuedMessage queued = lose_one();
    for (int look = 1; look <= 4; ++look) {
        EXPECT_EQ(job_state(queued.job_id), "unknown") << look;
        clock.advance(5min);
        EXPECT_EQ(resolver.step(), 1u);
    }
    EXPECT_EQ(channel->looks(), 4);
    EXPECT_EQ(job_state(queued.job_id), "dead");
    EXPECT_EQ(status_of(queued.message_id), "unknown") << "staff decides";
    EXPECT_EQ(channel->sent().size(), 1u);
}

TEST_F(UnknownOutcomes, FollowThePolicyWithoutALookUp_F21) {
    const QueuedMessage held = lose_one();
    clock.advance(15s);
    resolver.step();
    EXPECT_EQ(job_state(held.job_id), "dead");
    EXPECT_EQ(status_of(held.message_id), "unknown");

    channel->can.when_unknown = UnknownPolicy::fail;
    const QueuedMessage failed = lose_one();
    clock.advance(15s);
    resolver.step();
    EXPECT_EQ(status_of(failed.message_id), "failed");

    channel->can.when_unknown = UnknownPolicy::resend;
    channel->can.hold_before = 10min;
    const QueuedMessage again = lose_one();
    clock.advance(15s);
    resolver.step();
    EXPECT_EQ(job_state(again.job_id), "unknown") << "not before ten minutes";
    clock.advance(10min);
    resolver.step();
    ASSERT_TRUE(send_next());
    EXPECT_EQ(status_of(again.message_id), "accepted");
    expect_sound();
}

TEST_F(UnknownOutcomes, AreSentAgainBlindlyOnlyOnceAndTemplatesNever) {
    channel->can.when_unknown = UnknownPolicy::resend;
    const QueuedMessage twice = lose_one();
    channel->throws(ConnectionFailed(true, "reset again"));
    clock.advance(15s);
    resolver.step();
    ASSERT_TRUE(send_next());
    clock.advance(15s);
    resolver.step();
    EXPECT_EQ(job_state(twice.job_id), "dead");
    EXPECT_EQ(status_of(twice.message_id), "unknown");

    const QueuedMessage offer = lose_one(Template{.name = "offer", .language = "en"});
    clock.advance(15s);
    resolver.step();
    EXPECT_EQ(job_state(offer.job_id), "dead");
    EXPECT_EQ(channel->sent().size(), 3u);
}

TEST_F(UnknownOutcomes, AreSimplySentAgainWhereTheProviderDropsRepeats) {
    channel->can.honours_id = true;
    const QueuedMessage queued = lose_one();
    for (int i = 0; i < 3; ++i) {
        channel->throws(ConnectionFailed(true, "reset"));
        clock.advance(15s);
        resolver.step();
        ASSERT_TRUE(send_next());
    }
    clock.advance(15s);
    resolver.step();
    ASSERT_TRUE(send_next());
    EXPECT_EQ(status_of(queued.message_id), "accepted");
    for (const OutboundMessage& message : channel->sent()) EXPECT_EQ(message.id, queued.message_id);
}

TEST_F(UnknownOutcomes, BelongToTheCallbackThatIsFasterThanTheLookUp_G6) {
    channel->can.look_up = true;
    QueuedMessage queued;
    channel->look_up_answer = [&](const OutboundMessage& message) {
        callback("SM1", "delivered", message.id);
        return SendResult::refused("404", "never heard of it");
    };
    queued = lose_one();
    clock.advance(15s);
    resolver.step();
    EXPECT_EQ(job_state(queued.job_id), "done");
    EXPECT_EQ(status_of(queued.message_id), "delivered");
    expect_sound();
}

TEST_F(UnknownOutcomes, AreTakenOverFromAResolverThatDied) {
    channel->can.look_up = true;
    const QueuedMessage queued = lose_one();
    clock.advance(15s);
    store.write([&](Transaction& tx) { claim_unknown(tx, "dead", 1, clock.now_ms()); });
    EXPECT_EQ(resolver.step(), 0u);
    clock.advance(45s);
    EXPECT_EQ(resolver.step(), 1u);
    EXPECT_EQ(job_state(queued.job_id), "ready");
}

}  // namespace
}  // namespace patchbay
