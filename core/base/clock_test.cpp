#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace patchbay {

TEST(SystemClock, NeverGoesBack) {
    const SystemClock clock;
    TimeMs before = clock.now_ms();
    EXPECT_GT(before, 1'700'000'000'000);
    for (int i = 0; i < 10'000; ++i) {
        const TimeMs now = clock.now_ms();
        ASSERT_GE(now, before);
        before = now;
    }
}

TEST(ManualClock, MovesBothItsTimesWhenTold) {
    ManualClock clock(1'000);
    const auto steady = clock.steady();
    clock.advance(std::chrono::seconds{2});
    EXPECT_EQ(clock.now_ms(), 3'000);
    EXPECT_EQ(clock.steady() - steady, std::chrono::seconds{2});
}

}  // namespace patchbay
