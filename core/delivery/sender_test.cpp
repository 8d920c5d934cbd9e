#include "delivery/sender.hpp"

#include "delivery/delivery_fixture.hpp"
#include "delivery/housekeeping.hpp"
#include "messaging/consent.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using testing::Test;

const std::string ann = "+15558675310";

Error unauthorized() { return Error{ErrorKind::unauthorized, "bad token"}; }

TEST_F(SenderTest, GivesTheProviderTheMessageAndKeepsItsId) {
    const QueuedMessage queued = queue(ann, "Your room is ready");
    ASSERT_TRUE(send_next());
    ASSERT_EQ(channel->sent().size(), 1u);
    const OutboundMessage seen = channel->sent().front();
    EXPECT_EQ(seen.id, queued.message_id);
    EXPECT_EQ(seen.text, "Your room is ready");
    EXPECT_EQ(seen.to, Address::phone(ann));
    EXPECT_EQ(seen.first_tried_ms, 0);
    EXPECT_EQ(status_of(queued.message_id), "accepted");
    EXPECT_EQ(job_state(queued.job_id), "done");
    EXPECT_EQ(tries(), std::vector<std::string>{"accepted"});
    // A callback that names the id finds the message.
    EXPECT_EQ(callback("P-" + queued.message_id, "delivered").message_id, queued.message_id);
    EXPECT_EQ(status_of(queued.message_id), "delivered");
    expect_sound();
}

TEST_F(SenderTest, PassesOnTheTextMembersOfTheAttributesAndTheTemplate) {
    Draft draft;
    draft.channel = "sms";
    draft.to = Address::phone(ann);
    draft.from = "+15005550006";
    draft.from_template = Template{.name = "welcome", .language = "en", .params = {"Ann", "101"}};
    draft.attributes = R"({"campaign":"spring","steps":3})";
    queue(draft);
    ASSERT_TRUE(send_next());
    const OutboundMessage seen = channel->sent().front();
    ASSERT_TRUE(seen.from_template);
    EXPECT_EQ(seen.from_template->name, "welcome");
    EXPECT_EQ(seen.from_template->params, (std::vector<std::string>{"Ann", "101"}));
    EXPECT_EQ(seen.extra, (Labels{{"campaign", "spring"}}));
    EXPECT_EQ(seen.from.value, "+15005550006");
}

TEST_F(SenderTest, TriesAgainLaterWhenTheProviderAsksForIt_F22) {
    channel->answers(SendResult::retry_later("429", "slow down", 90s));
    const QueuedMessage queued = queue(ann);
    ASSERT_TRUE(send_next());
    EXPECT_EQ(job_state(queued.job_id), "ready");
    EXPECT_EQ(job_run_at(queued.job_id), clock.now_ms() + 90'000);
    EXPECT_FALSE(send_next());
    advance(90s);
    ASSERT_TRUE(send_next());
    EXPECT_EQ(status_of(queued.message_id), "accepted");
    EXPECT_EQ(channel->calls().back().attempt, 2u);
    EXPECT_NE(channel->sent().back().first_tried_ms, 0);
    EXPECT_EQ(channel->sent().front().id, channel->sent().back().id);
}

TEST_F(SenderTest, EndsAfterTwelveAttemptsAndLetsTheNextMessageGo) {
    const QueuedMessage first = queue(ann, "first");
    const QueuedMessage second = queue(ann, "second");
    Draft long_lived;
    for (int i = 0; i < 12; ++i) channel->throws(ConnectionFailed(false, "refused"));
    store.write([&](Transaction& tx) {
        // 48 hours of attempts outlast the validity of a chat message.
        static const Statement no_end{"test.no_end", "UPDATE jobs SET valid_until=NULL", {}, true};
        tx.run(no_end);
    });
    for (int i = 0; i < 12; ++i) {
        EXPECT_EQ(job_state(second.job_id), "waiting");
        ASSERT_TRUE(send_next());
        advance(24h);
    }
    EXPECT_EQ(job_state(first.job_id), "dead");
    EXPECT_EQ(status_of(first.message_id), "failed");
    ASSERT_TRUE(send_next());
    EXPECT_EQ(status_of(second.message_id), "accepted");
    expect_sound();
}

TEST_F(SenderTest, LeavesTheOutcomeOpenWhenTheAnswerGotLost_F20_G7) {
    channel->throws(ConnectionFailed(true, "reset by peer"));
    const QueuedMessage queued = queue(ann);
    ASSERT_TRUE(send_next());
    EXPECT_EQ(job_state(queued.job_id), "unknown");
    EXPECT_EQ(status_of(queued.message_id), "unknown");
    advance(1h);
    EXPECT_FALSE(send_next()) << "an unknown send must never be repeated blindly";
    EXPECT_EQ(channel->sent().size(), 1u);
}

TEST_F(SenderTest, PausesTheChannelAndSpendsNoAttemptWhenTheTokenIsRefused_F23_G14) {
    channel->throws(unauthorized());
    const QueuedMessage queued = queue(ann);
    ASSERT_TRUE(send_next());
    EXPECT_EQ(gate->paused(), "auth_failed");
    EXPECT_EQ(gate->may_claim(8, 0).count, 0u);
    EXPECT_EQ(job_state(queued.job_id), "ready");
    EXPECT_EQ(job_attempt(queued.job_id), 0);
    const Rows paused = store.read([](Session& s) { return s.run(sql::channel_paused); });
    ASSERT_EQ(paused.size(), 1u);
    EXPECT_EQ(paused.front().text(1), "auth_failed");
    gate->resume();
    EXPECT_GT(gate->may_claim(8, 0).count, 0u);
    ASSERT_TRUE(send_next());
    EXPECT_EQ(status_of(queued.message_id), "accepted");
}

TEST_F(SenderTest, SendsNothingMoreToAPausedChannelThoughAJobWasClaimed_F23) {
    const QueuedMessage queued = queue(ann);
    auto jobs = claim();
    gate->pause("auth_failed");
    sender.run(jobs.front());
    EXPECT_TRUE(channel->sent().empty());
    EXPECT_EQ(job_attempt(queued.job_id), 0);
}

TEST_F(SenderTest, FailsForGoodWhatTheProviderRefuses) {
    channel->answers(SendResult::refused("21211", "not a number"));
    const QueuedMessage queued = queue(ann);
    ASSERT_TRUE(send_next());
    const auto view = store.read([&](Session& s) { return find_message(s, queued.message_id); });
    EXPECT_EQ(view->status, "failed");
    EXPECT_EQ(view->error_code, "21211");
    EXPECT_EQ(job_state(queued.job_id), "dead");
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes.front().status, "failed");
}

TEST_F(SenderTest, RemembersAnOptOutThatTheProviderKnows) {
    channel->answers(SendResult::opted_out("21610", "STOP"));
    queue(ann);
    ASSERT_TRUE(send_next());
    try {
        queue(ann);
        FAIL() << "the next message must be refused before it is stored";
    } catch (const SendRefused& refused) {
        EXPECT_EQ(refused.code, "recipient_opted_out");
    }
}

TEST_F(SenderTest, DoesNotSendToSomebodyWhoOptedOutMeanwhile) {
    const QueuedMessage queued = queue(ann);
    store.write([&](Transaction& tx) {
        set_consent(tx, ids,
                    {Address::phone(ann), "sms", "out", "word", "", "guest", clock.now_ms()});
    });
    ASSERT_TRUE(send_next());
    EXPECT_TRUE(channel->sent().empty());
    EXPECT_EQ(status_of(queued.message_id), "failed");
}

TEST_F(SenderTest, DoesNotSendWhatIsNoLongerValid_F24_G14) {
    const QueuedMessage queued = queue(ann);
    auto jobs = claim();
    advance(25h);
    sender.run(jobs.front());
    EXPECT_TRUE(channel->sent().empty());
    EXPECT_EQ(status_of(queued.message_id), "expired");
}

TEST_F(SenderTest, ExpiresWhatWaitsTooLongBehindAPausedChannel_F24_G14) {
    const QueuedMessage first = queue(ann, "first");
    const QueuedMessage second = queue(ann, "second");
    advance(23h);
    const QueuedMessage third = queue(ann, "third");
    advance(2h);
    EXPECT_EQ(expire_sends(context), 2u);
    EXPECT_EQ(status_of(first.message_id), "expired");
    EXPECT_EQ(status_of(second.message_id), "expired");
    EXPECT_EQ(job_state(third.job_id), "ready");
    expect_sound();
}

TEST_F(SenderTest, DoesNotSendAgainWhatACallbackHasProven) {
    channel->answers(SendResult::retry_later("503", "busy"));
    const QueuedMessage queued = queue(ann);
    ASSERT_TRUE(send_next());
    // The provider had it after all, and says so with our id.
    EXPECT_TRUE(callback("SM9", "sent", queued.message_id).lane_moved);
    advance(1h);
    EXPECT_FALSE(send_next());
    EXPECT_EQ(channel->sent().size(), 1u);
    EXPECT_EQ(status_of(queued.message_id), "sent");
    expect_sound();
}

TEST_F(SenderTest, TakesACallbackDuringTheCallAsProofWhenTheAnswerIsLost_F35_F20) {
    QueuedMessage queued;
    channel->answers([&](const OutboundMessage& message) -> SendResult {
        callback("SM9", "delivered", message.id);
        throw ConnectionFailed(true, "reset");
    });
    queued = queue(ann);
    ASSERT_TRUE(send_next());
    EXPECT_EQ(job_state(queued.job_id), "done");
    EXPECT_EQ(status_of(queued.message_id), "delivered");
    expect_sound();
}

TEST_F(SenderTest, AppliesACallbackThatCameBeforeItsAnswer_F35_G9) {
    channel->answers([&](const OutboundMessage& message) {
        EXPECT_TRUE(callback("P-" + message.id, "delivered").message_id.empty()) << "still unknown";
        return SendResult::accepted("P-" + message.id);
    });
    const QueuedMessage queued = queue(ann);
    ASSERT_TRUE(send_next());
    EXPECT_EQ(status_of(queued.message_id), "delivered");
    expect_sound();
}

TEST_F(SenderTest, WritesNothingAfterItLostItsLease_F04_G6) {
    QueuedMessage queued;
    channel->answers([&](const OutboundMessage& message) {
        clock.advance(60s);  // Frozen past its lease.
        rescue(store, ids, "another");
        return SendResult::accepted("P-" + message.id);
    });
    queued = queue(ann);
    auto jobs = claim();
    EXPECT_THROW(sender.run(jobs.front()), LeaseLost);
    EXPECT_EQ(job_state(queued.job_id), "unknown");
    EXPECT_EQ(status_of(queued.message_id), "unknown");
    const auto view = store.read([&](Session& s) { return find_message(s, queued.message_id); });
    EXPECT_EQ(view->provider_id, std::nullopt);
    expect_sound();
}

TEST_F(SenderTest, DoesNotBeginACallWithLessThanTenSecondsOfItsLease_G6) {
    queue(ann);
    auto jobs = claim();
    advance(21s);
    EXPECT_THROW(sender.run(jobs.front()), LeaseLost);
    EXPECT_TRUE(channel->sent().empty());
}

TEST_F(SenderTest, TellsThePluginToEndBeforeTheLeaseDoes_G6) {
    queue(ann);
    ASSERT_TRUE(send_next());
    EXPECT_LE(channel->calls().front().left, 28s);
    EXPECT_GE(channel->calls().front().left, 20s);
}

TEST_F(SenderTest, KeepsALongTextAsManyPartsWithTheLowestStatus) {
    channel->answers([](const OutboundMessage&) {
        SendResult result = SendResult::accepted("A");
        result.part_ids = {"A", "B"};
        return result;
    });
    const QueuedMessage queued = queue(ann);
    callback("B", "delivered");  // Before the answer.
    ASSERT_TRUE(send_next());
    EXPECT_EQ(status_of(queued.message_id), "accepted");
    callback("A", "sent");
    EXPECT_EQ(status_of(queued.message_id), "sent");
    callback("A", "delivered");
    EXPECT_EQ(status_of(queued.message_id), "delivered");
}

TEST_F(SenderTest, ParksTheLaneOfADeadSendWhereThePolicySaysSo) {
    const auto parking = std::make_shared<ChannelGate>(
        ChannelSettings{.instance = "sms", .park_when_dead = true}, leases(), clock);
    Sender strict{context, parking};
    channel->answers(SendResult::refused("400", "no"));
    const QueuedMessage first = queue(ann, "first");
    const QueuedMessage second = queue(ann, "second");
    auto jobs = claim();
    strict.run(jobs.front());
    EXPECT_EQ(job_state(second.job_id), "waiting");
    expect_sound();
    EXPECT_TRUE(
        store.write([&](Transaction& tx) { return unpark_lane(tx, first.conversation_id); }));
    EXPECT_EQ(job_state(second.job_id), "ready");
}

TEST_F(SenderTest, WaitsForAnInactivePluginWithoutSpendingAttempts) {
    const auto empty = std::make_shared<ChannelGate>(
        ChannelSettings{.instance = "sms"}, [](const std::string&) { return PluginLeasePtr{}; },
        clock);
    Sender waiting{context, empty};
    const QueuedMessage queued = queue(ann);
    auto jobs = claim();
    waiting.run(jobs.front());
    EXPECT_EQ(job_state(queued.job_id), "ready");
    EXPECT_EQ(job_attempt(queued.job_id), 0);
    EXPECT_EQ(empty->may_claim(8, 0).count, 0u);
}

TEST_F(SenderTest, TellsTheBoardWhatTheFirstTryCameTo) {
    channel->answers(SendResult::retry_later("503", "busy"));
    const QueuedMessage queued = queue(ann);
    std::optional<FirstOutcome> seen;
    board.await(queued.message_id, 10s, [&](const auto& outcome) { seen = outcome; });
    ASSERT_TRUE(send_next());
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->verdict, Verdict::retry_later);
}

}  // namespace
}  // namespace patchbay
