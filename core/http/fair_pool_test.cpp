#include "http/fair_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>

#include "base/hang_test.hpp"

namespace patchbay {
namespace {

TEST(FairPools, LeaveOthersTheirThreadsWhenOneHangs_G14) {
    std::latch go_on{1}, two_hang{2}, other_done{1}, all_done{10};
    std::atomic<int> begun{0};
    FairPool pool("fair", 4, 100);
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(pool.post("hung", [&, i] {
            ++begun;
            if (i < 2) two_hang.count_down();
            go_on.wait();
            all_done.count_down();
        }));
    }
    two_hang.wait();
    EXPECT_TRUE(pool.post("other", [&] { other_done.count_down(); }));
    other_done.wait();
    EXPECT_EQ(begun, 2) << "half of four threads";
    go_on.count_down();
    all_done.wait();
}

TEST(FairPools, RefuseWhatIsTooMuchOfOneOwner_G19) {
    std::latch go_on{1}, hangs{1}, other_done{1};
    FairPool pool("fair", 2, 3);
    EXPECT_TRUE(pool.post("hung", [&] {
        hangs.count_down();
        go_on.wait();
    }));
    hangs.wait();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.post("hung", [] {}));
    EXPECT_FALSE(pool.post("hung", [] {}));
    EXPECT_TRUE(pool.post("other", [&] { other_done.count_down(); }));
    other_done.wait();
    go_on.count_down();
}

TEST(FairPools, GoOnWithTheNextOfAnOwnerWhoseThreadIsLost_F41) {
    Hang hang;
    std::latch all_done{3};
    FairPool pool("fair", 2, 10);  // One at work of each owner.
    EXPECT_TRUE(pool.post("hung", [&] {
        try {
            hang.here();
        } catch (const Error&) {
        }
    }));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(pool.post("hung", [&] { all_done.count_down(); }));
    hang.give_up();
    EXPECT_TRUE(pool.post("other", [&] { all_done.count_down(); }));
    all_done.wait();
    pool.stop();
    hang.let_go();
}

TEST(FairPools, DropAtStopWhatHasNotBegun) {
    std::latch go_on{1}, hangs{1}, dropped{1};
    std::atomic<int> ran{0};
    FairPool pool("fair", 2, 3);
    pool.post("one", [&] {
        hangs.count_down();
        go_on.wait();
        ++ran;
    });
    hangs.wait();
    pool.post("one", [&, tells = std::shared_ptr<void>(
                             nullptr, [&](void*) { dropped.count_down(); })] { ++ran; });
    std::thread stopping{[&] { pool.stop(); }};
    dropped.wait();
    EXPECT_FALSE(pool.post("one", [] {}));
    go_on.count_down();
    stopping.join();
    EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace patchbay
