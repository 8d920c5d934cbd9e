#include "delivery/interventions.hpp"

#include "delivery/delivery_fixture.hpp"
#include "delivery/unknown.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class Interventions : public SenderTest {
protected:
    Retried retry(int64_t job_id) {
        return store.write(
            [&](Transaction& tx) { return retry_delivery(tx, mint, job_id, clock.now_ms()); });
    }
    Intervention cancel(int64_t job_id) {
        return store.write(
            [&](Transaction& tx) { return cancel_delivery(tx, job_id, clock.now_ms()).result; });
    }
    const std::string ann_ = "+15558675310";
};

TEST_F(Interventions, RepeatAFailedSendAsANewMessage) {
    channel->answers(SendResult::refused("30006", "landline"));
    const QueuedMessage queued = queue(ann_, "Your key");
    ASSERT_TRUE(send_next());
    const Retried retried = retry(queued.job_id);
    EXPECT_EQ(retried.result, Intervention::done);
    EXPECT_NE(retried.job_id, queued.job_id);
    ASSERT_TRUE(send_next());
    EXPECT_EQ(channel->sent().back().text, "Your key");
    EXPECT_EQ(channel->sent().back().to, Address::phone(ann_));
    EXPECT_NE(channel->sent().back().id, queued.message_id);
    EXPECT_EQ(status_of(queued.message_id), "failed");
    EXPECT_EQ(status_of(channel->sent().back().id), "accepted");
    expect_sound();
}

TEST_F(Interventions, SendAHeldMessageAgainAsItself) {
    channel->throws(ConnectionFailed(true, "reset"));
    const QueuedMessage queued = queue(ann_);
    const QueuedMessage later = queue(ann_);
    ASSERT_TRUE(send_next());
    clock.advance(15s);
    UnknownResolver resolver{context, [this](const std::string&) { return gate; }};
    resolver.step();  // The default policy holds it.
    EXPECT_EQ(retry(queued.job_id).job_id, queued.job_id);
    ASSERT_TRUE(send_next());
    EXPECT_EQ(channel->sent().back().id, later.message_id) << "it went to the end of its lane";
    ASSERT_TRUE(send_next());
    EXPECT_EQ(channel->sent().back().id, queued.message_id);
    EXPECT_EQ(status_of(queued.message_id), "accepted");
    expect_sound();
}

TEST_F(Interventions, DoNotWaitForTheNextRetry) {
    channel->answers(SendResult::retry_later("503", "busy"));
    const QueuedMessage queued = queue(ann_);
    ASSERT_TRUE(send_next());
    EXPECT_FALSE(send_next());
    retry(queued.job_id);
    EXPECT_TRUE(send_next());
}

TEST_F(Interventions, LeaveAloneWhatRunsOrHasEnded) {
    const QueuedMessage queued = queue(ann_);
    auto jobs = claim();
    EXPECT_EQ(retry(queued.job_id).result, Intervention::running);
    EXPECT_EQ(cancel(queued.job_id), Intervention::running);
    sender.run(jobs.front());
    EXPECT_EQ(retry(queued.job_id).result, Intervention::finished);
    EXPECT_EQ(cancel(queued.job_id), Intervention::finished);
    EXPECT_EQ(retry(7).result, Intervention::not_found);
    EXPECT_EQ(cancel(7), Intervention::not_found);
}

TEST_F(Interventions, CallOffWhatWaits) {
    const QueuedMessage first = queue(ann_);
    const QueuedMessage second = queue(ann_);
    EXPECT_EQ(cancel(first.job_id), Intervention::done);
    EXPECT_EQ(status_of(first.message_id), "cancelled");
    EXPECT_EQ(job_state(second.job_id), "ready");
}

}  // namespace
}  // namespace patchbay
