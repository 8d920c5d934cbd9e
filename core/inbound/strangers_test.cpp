#include "inbound/strangers.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

using namespace std::chrono_literals;

Strangers::Time at(std::chrono::seconds time) { return Strangers::Time{1h + time}; }

TEST(StrangersOfAnInstance, AreAlarmingWhenMoreThanTenComeInAMinute_S49) {
    Strangers strangers;
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(strangers.note(1, at(std::chrono::seconds{i})));
    EXPECT_FALSE(strangers.are_many(at(10s)));
    EXPECT_TRUE(strangers.note(1, at(10s)));
    EXPECT_TRUE(strangers.are_many(at(10s)));
    EXPECT_FALSE(strangers.are_many(at(70s)));
}

TEST(StrangersOfAnInstance, AreTenEachMinuteForAnHourWithoutAnAlarm_S49) {
    Strangers strangers;
    for (int minute = 0; minute < 60; ++minute)
        EXPECT_FALSE(strangers.note(10, at(std::chrono::seconds{minute * 60})));
}

TEST(StrangersOfAnInstance, AlarmOnceAMinute_S49) {
    Strangers strangers;
    int alarms = 0;
    for (int second = 0; second < 180; ++second)
        alarms += strangers.note(5, at(std::chrono::seconds{second})) ? 1 : 0;
    EXPECT_EQ(alarms, 3);
    EXPECT_FALSE(strangers.note(0, at(1000s)));
}

}  // namespace
}  // namespace patchbay
