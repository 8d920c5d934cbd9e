#include "base/clock_check.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

constexpr TimeMs noon = 1'795'170'000'000;

TEST(ClockChecks, FindAClockThatIsMoreThanThirtySecondsOff_S47) {
    for (const TimeMs off : {-31'000, 31'000, 3'600'000}) {
        SCOPED_TRACE(off);
        ClockCheck check;
        EXPECT_FALSE(check.heard(noon, noon + off));
        EXPECT_FALSE(check.heard(noon, noon + off));
        EXPECT_EQ(check.off_by(), std::nullopt) << "two may be mistaken";
        EXPECT_TRUE(check.heard(noon, noon + off));
        EXPECT_EQ(check.off_by(), std::chrono::seconds{off / 1000});
        EXPECT_FALSE(check.heard(noon, noon + off)) << "it is known already";
    }
}

TEST(ClockChecks, BelieveOneThatIsNear_S47) {
    ClockCheck check;
    for (const TimeMs off : {-30'000, 30'000, -29'000, 0}) check.heard(noon, noon + off);
    EXPECT_EQ(check.off_by(), std::nullopt);
}

TEST(ClockChecks, BelieveOneRightAnswerAmongWrongOnes_S47) {
    ClockCheck check;
    for (int i = 0; i < 9; ++i) check.heard(noon, noon + (i % 3 == 0 ? 0 : 90'000));
    EXPECT_EQ(check.off_by(), std::nullopt);
    for (int i = 0; i < 9; ++i) check.heard(noon, noon + (i % 2 == 0 ? -90'000 : 90'000));
    EXPECT_EQ(check.off_by(), std::nullopt) << "they do not agree";
}

TEST(ClockChecks, SayThatItIsRightAgain_S47) {
    ClockCheck check;
    for (int i = 0; i < 3; ++i) check.heard(noon, noon + 90'000);
    EXPECT_TRUE(check.heard(noon, noon + 500));
    EXPECT_EQ(check.off_by(), std::nullopt);
}

}  // namespace
}  // namespace patchbay
