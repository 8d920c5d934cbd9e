#include "delivery/probation.hpp"

#include <latch>
#include <thread>

#include "delivery/delivery_fixture.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

TEST(Probations, LetASuspectRunAlone_G15) {
    Probation probation;
    std::atomic<int> running{0};
    std::atomic<bool> was_alone{true};
    std::vector<std::thread> threads;
    for (int i = 0; i < 40; ++i) {
        threads.emplace_back([&, alone = i % 10 == 5] {
            const Probation::Turn turn{probation, alone};
            if (++running > 1 && alone) was_alone = false;
            for (int spin = 0; spin < 100; ++spin) {
                if (alone && running != 1) was_alone = false;
                std::this_thread::yield();
            }
            --running;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(was_alone);
}

const Statement test_crashes{"test.crashes", "UPDATE jobs SET crashes=$1", {}, true};

TEST_F(SenderTest, QuarantinesAMessageThatOftenRanWhenTheProcessDied_F42_G15) {
    const QueuedMessage poison = queue("+15558675310", "poison");
    store.write([&](Transaction& tx) { tx.run(test_crashes, {crashes_before_quarantine}); });
    const QueuedMessage next = queue("+15558675310", "next");
    ASSERT_TRUE(send_next());
    EXPECT_TRUE(channel->sent().empty());
    EXPECT_EQ(job_state(poison.job_id), "dead");
    EXPECT_EQ(status_of(poison.message_id), "failed");
    ASSERT_TRUE(send_next());
    EXPECT_EQ(status_of(next.message_id), "accepted") << "its lane goes on";
    expect_sound();
}

}  // namespace
}  // namespace patchbay
