#include "delivery/delivery.hpp"

#include <latch>

#include "delivery/delivery_fixture.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class WholeDelivery : public DeliveryTest {
protected:
    std::unique_ptr<Delivery> start(uint32_t concurrency = 8) {
        self.owner = "run" + std::to_string(++runs);
        register_worker(store, self);
        recover(store, ids, self, true);
        auto delivery = std::make_unique<Delivery>(store, ids, leases(), self.owner,
                                                   [this](const MessageChange& change) {
                                                       const std::lock_guard lock{mutex};
                                                       changes.push_back(change);
                                                   });
        delivery->add_channel({.instance = "sms", .concurrency = concurrency});
        delivery->start();
        return delivery;
    }
    bool all_sent(size_t count) {
        return eventually([&] { return channel->sent().size() >= count; });
    }
    WorkerInfo self{"", "host", "boot", "0.1.0", 1};
    int runs = 0;
    std::mutex mutex;
    std::vector<MessageChange> changes;
};

TEST_F(WholeDelivery, SendsEveryConversationInOrderOverManyWorkers_G5) {
    constexpr size_t contacts = 12, per_contact = 15;
    std::map<std::string, std::vector<std::string>> expected;
    for (size_t i = 0; i < per_contact; ++i) {
        for (size_t c = 0; c < contacts; ++c) {
            const std::string number = "+155586753" + std::to_string(10 + c);
            expected[number].push_back(queue(number, std::to_string(i)).message_id);
        }
    }
    const auto delivery = start();
    ASSERT_TRUE(all_sent(contacts * per_contact));
    std::map<std::string, std::vector<std::string>> seen;
    for (const OutboundMessage& message : channel->sent())
        seen[message.to.value].push_back(message.id);
    EXPECT_EQ(seen, expected);
    EXPECT_TRUE(
        eventually([&] { return status_of(expected.begin()->second.back()) == "accepted"; }));
    delivery->stop(10s);
    expect_sound();
}

TEST_F(WholeDelivery, HasAsManySendsUnderWayAsAreConfigured) {
    constexpr std::ptrdiff_t concurrency = 50;
    std::latch all_under_way{concurrency}, go_on{1};
    for (std::ptrdiff_t i = 0; i < concurrency; ++i) {
        queue("+155586754" + std::to_string(10 + i));
        channel->answers([&](const OutboundMessage& message) {
            all_under_way.count_down();
            go_on.wait();
            return SendResult::accepted("P-" + message.id);
        });
    }
    const auto delivery = start(concurrency);
    EXPECT_TRUE(eventually([&] { return all_under_way.try_wait(); })) << "at the same time";
    go_on.count_down();
    delivery->stop(10s);
    expect_sound();
}

TEST_F(WholeDelivery, GoesOnWithWhatAKilledProcessLeft_F01_G10) {
    // A process that claimed and died: its rows are all that is left of it.
    self.owner = "killed";
    register_worker(store, self);
    const QueuedMessage claimed = queue("+15558675310");
    const QueuedMessage sending = queue("+15558675311");
    auto jobs = claim(2, "killed");
    store.write([&](Transaction& tx) { mark_sending(tx, jobs[1], clock.now_ms()); });

    channel->can.look_up = true;  // It will not find the second one.
    const auto delivery = start();
    EXPECT_TRUE(eventually([&] { return status_of(claimed.message_id) == "accepted"; }));
    EXPECT_EQ(status_of(sending.message_id), "unknown") << "no blind resend";
    clock.advance(15s);
    EXPECT_TRUE(eventually([&] { return status_of(sending.message_id) == "accepted"; }));
    EXPECT_EQ(channel->sent().size(), 2u);
    delivery->stop(10s);
    expect_sound();
}

TEST_F(WholeDelivery, KeepsAPauseOverARestartAndResumes_F23) {
    channel->throws(Error{ErrorKind::unauthorized, "bad token"});
    const QueuedMessage queued = queue("+15558675310");
    {
        const auto delivery = start();
        ASSERT_TRUE(eventually([&] { return delivery->paused("sms").has_value(); }));
        delivery->stop(10s);
    }
    const auto delivery = start();
    EXPECT_EQ(delivery->paused("sms"), "auth_failed");
    EXPECT_EQ(channel->sent().size(), 1u);
    delivery->resume("sms");
    EXPECT_TRUE(eventually([&] { return status_of(queued.message_id) == "accepted"; }));
    EXPECT_EQ(channel->calls().back().attempt, 1u) << "no attempt was spent";
}

TEST_F(WholeDelivery, GoesOnWhenTheCredentialsThatWereRefusedAreOthers_F23_G14) {
    channel->throws(Error{ErrorKind::unauthorized, "bad token"});
    const QueuedMessage queued = queue("+15558675310");
    {
        const auto delivery = start();
        delivery->credentials_are("sms", 1);
        ASSERT_TRUE(eventually([&] { return delivery->paused("sms").has_value(); }));
        delivery->credentials_are("sms", 1);
        EXPECT_EQ(delivery->paused("sms"), "auth_failed") << "the same ones are no reason to try";
        delivery->stop(10s);
    }
    const auto delivery = start();
    delivery->credentials_are("sms", 1);
    EXPECT_EQ(delivery->paused("sms"), "auth_failed");
    delivery->credentials_are("sms", 2);
    EXPECT_TRUE(eventually([&] { return status_of(queued.message_id) == "accepted"; }));
    EXPECT_EQ(channel->calls().back().attempt, 1u) << "no attempt was spent";
    delivery->pause("sms", "operator");
    delivery->credentials_are("sms", 3);
    EXPECT_EQ(delivery->paused("sms"), "operator") << "another reason stays";
    delivery->stop(10s);
}

TEST_F(WholeDelivery, TellsWhoWaitsWithoutHoldingAThread) {
    const auto delivery = start();
    std::atomic<bool> told{false};
    const QueuedMessage queued = queue("+15558675310");
    delivery->outcomes().await(queued.message_id, 10s, [&](const auto& outcome) {
        EXPECT_TRUE(outcome && outcome->verdict == Verdict::accepted);
        told = true;
    });
    delivery->wake("sms");
    EXPECT_TRUE(eventually([&] { return told.load(); }));
    delivery->stop(10s);
    const std::lock_guard lock{mutex};
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes.front().conversation_id, queued.conversation_id);
}

TEST_F(WholeDelivery, LeavesNoRowOfItselfAfterACleanStop_G11) {
    const auto delivery = start();
    EXPECT_EQ(delivery->stop(10s).left_running, 0u);
    EXPECT_TRUE(store.read([](Session& s) { return s.run(sql::worker_list); }).empty());
    EXPECT_EQ(delivery->stop(10s).handed_back, 0u) << "a second stop does nothing";
}

TEST_F(WholeDelivery, ExpiresWhatAPausedChannelCannotSendInTime_G14) {
    const QueuedMessage queued = queue("+15558675310");
    store.write([&](Transaction& tx) {
        tx.run(sql::channel_pause, {std::string{"sms"}, std::string{"operator"}, clock.now_ms()});
    });
    const auto delivery = start();
    clock.advance(25h);
    EXPECT_TRUE(eventually([&] { return status_of(queued.message_id) == "expired"; }));
    EXPECT_TRUE(channel->sent().empty());
}

}  // namespace
}  // namespace patchbay
