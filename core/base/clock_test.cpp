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

using namespace std::chrono_literals;

constexpr auto some_day = std::chrono::hours{24 * 365 * 50};

TEST(MonotoneTime, FollowsTheWallForward_G17_F50) {
    MonotoneTime time;
    EXPECT_EQ(time.at(some_day, 1h), some_day);
    EXPECT_EQ(time.at(some_day + 5s, 1h + 5s), some_day + 5s);
    EXPECT_EQ(time.at(some_day + 24h, 1h + 6s), some_day + 24h);
}

TEST(MonotoneTime, NeitherGoesBackNorStandsStillWhenTheWallIsSetBack_G17_F50) {
    MonotoneTime time;
    time.at(some_day, 1h);
    EXPECT_EQ(time.at(some_day - 24h, 1h), some_day);
    const auto after = time.at(some_day - 24h + 16min, 1h + 16min) - some_day;
    EXPECT_EQ(after, 15min) << "a retry is late by a sixteenth of its delay, not by a day";
}

TEST(MonotoneTime, MeetsTheWallAgain_G17_F50) {
    MonotoneTime time;
    time.at(some_day, 1h);
    std::chrono::nanoseconds wall = some_day - 1min;
    std::chrono::nanoseconds steady = 1h;
    for (int tick = 0; tick < 20 * 60; ++tick) {
        wall += 1s;
        steady += 1s;
        time.at(wall, steady);
    }
    EXPECT_EQ(time.at(wall, steady), wall) << "a minute is made good within 16";
}

TEST(MonotoneTime, BearsManyStepsBothWays_G17_F50) {
    MonotoneTime time;
    auto before = time.at(some_day, 1h);
    for (int step = 1; step <= 100; ++step) {
        const auto wall = some_day + step * 1s + (step % 2 ? 60s : -60s);
        const auto now = time.at(wall, 1h + step * 1s);
        EXPECT_GT(now, before);
        EXPECT_LE(now - (some_day + step * 1s), 60s);
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
