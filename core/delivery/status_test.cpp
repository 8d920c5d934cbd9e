#include "delivery/status.hpp"

#include <random>

#include "delivery/delivery_fixture.hpp"
#include "delivery/housekeeping.hpp"
#include "messaging/status.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class DeliveryStatuses : public SenderTest {
protected:
    /// A message that the provider has taken under this id.
    std::string sent_as(const std::string& provider_id) {
        channel->answers(SendResult::accepted(provider_id));
        const QueuedMessage queued = queue("+15558675" + std::to_string(100 + next_number_++));
        EXPECT_TRUE(send_next());
        return queued.message_id;
    }
    int next_number_ = 0;
};

TEST_F(DeliveryStatuses, EndAtTheHighestRankInEveryOrderWithRepeats_F34_G8) {
    std::vector<std::string> words = {"accepted", "delivered", "failed", "sent"};
    int round = 0;
    do {
        const std::string id = "SM" + std::to_string(round++);
        const std::string message = sent_as(id);
        int highest = rank_of("accepted");
        for (int repeat = 0; repeat < 2; ++repeat) {
            for (const std::string& word : words) {
                SCOPED_TRACE(id + " " + word);
                const StatusApplied applied = callback(id, word, "", 1000 + rank_of(word));
                EXPECT_EQ(applied.stored, repeat == 0);
                highest = std::max(highest, rank_of(word));
                EXPECT_EQ(rank_of(status_of(message)), highest) << "a step down";
            }
        }
        EXPECT_EQ(status_of(message), "delivered");
    } while (std::next_permutation(words.begin(), words.end()));
    expect_sound();
}

TEST_F(DeliveryStatuses, KeepAFailureThatComesBeforeTheLateSent_G8) {
    const std::string message = sent_as("SM1");
    callback("SM1", "failed", "", 2);
    callback("SM1", "sent", "", 1);
    EXPECT_EQ(status_of(message), "failed");
    callback("SM1", "delivered", "", 3);
    EXPECT_EQ(status_of(message), "delivered") << "hard evidence wins";
}

TEST_F(DeliveryStatuses, AreKeptUntilTheirMessageIsKnown_F35_G9) {
    EXPECT_TRUE(callback("SM1", "sent", "", 1).message_id.empty());
    EXPECT_TRUE(callback("SM1", "delivered", "", 2).message_id.empty());
    clock.advance(71h);
    EXPECT_FALSE(sweep_deliveries(store));
    const std::string message = sent_as("SM1");
    EXPECT_EQ(status_of(message), "delivered");
    expect_sound();
}

TEST_F(DeliveryStatuses, AreForgottenAfterThreeDaysWithoutAMessage_G9) {
    callback("SM1", "delivered", "", 1);
    clock.advance(73h);
    sweep_deliveries(store);
    const std::string message = sent_as("SM1");
    EXPECT_EQ(status_of(message), "accepted");
}

TEST_F(DeliveryStatuses, MeetTheirMessageWhenNeitherTransactionSawTheOther_G9) {
    const std::string message = sent_as("SM1");
    // As PostgreSQL would leave it: stored as early although the message has the id.
    store.write([&](Transaction& tx) {
        tx.run(sql::status_store,
               {ids.machine_id(), Value{}, std::string{"sms"}, std::string{"SM1"},
                std::string{"delivered"}, int64_t{rank_of("delivered")}, Value{}, Value{},
                clock.now_ms(), clock.now_ms(), Value{}});
    });
    EXPECT_EQ(reunite_statuses(context), 1u);
    EXPECT_EQ(status_of(message), "delivered");
    EXPECT_EQ(reunite_statuses(context), 0u);
}

TEST_F(DeliveryStatuses, DoNotReachMessagesOfOtherChannels) {
    const std::string message = sent_as("SM1");
    const StatusEvent foreign{
        .channel = "whatsapp", .provider_id = "SM1", .our_message_id = message, .status = "failed"};
    const StatusApplied applied = store.write(
        [&](Transaction& tx) { return apply_status_event(tx, ids, foreign, clock.now_ms()); });
    EXPECT_TRUE(applied.message_id.empty());
    EXPECT_EQ(status_of(message), "accepted");
}

TEST_F(DeliveryStatuses, EndASendOfUnknownOutcomeThatTheyProve_F20) {
    channel->throws(ConnectionFailed(true, "reset"));
    const QueuedMessage first = queue("+15558675310", "first");
    const QueuedMessage second = queue("+15558675310", "second");
    ASSERT_TRUE(send_next());
    EXPECT_EQ(job_state(second.job_id), "waiting");
    const StatusApplied applied = callback("SM1", "sent", first.message_id);
    EXPECT_TRUE(applied.lane_moved);
    EXPECT_TRUE(applied.raised);
    EXPECT_EQ(job_state(first.job_id), "done");
    EXPECT_EQ(job_state(second.job_id), "ready");
    // The id came with it, so the next callback needs no help.
    EXPECT_EQ(callback("SM1", "delivered").message_id, first.message_id);
    expect_sound();
}

TEST_F(DeliveryStatuses, ProveNothingWhenTheySayLessThanAccepted) {
    channel->throws(ConnectionFailed(true, "reset"));
    const QueuedMessage queued = queue("+15558675310");
    ASSERT_TRUE(send_next());
    EXPECT_FALSE(callback("SM1", "queued", queued.message_id).lane_moved);
    EXPECT_EQ(job_state(queued.job_id), "unknown");
}

}  // namespace
}  // namespace patchbay
