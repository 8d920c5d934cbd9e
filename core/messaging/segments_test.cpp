#include "messaging/segments.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

std::string times(size_t count, const std::string& text) {
    std::string all;
    for (size_t i = 0; i < count; ++i) all += text;
    return all;
}

TEST(SmsSegments, FollowTheAlphabetOfTheText) {
    EXPECT_EQ(sms_segments(""), 0u);
    EXPECT_EQ(sms_segments("Hello"), 1u);
    EXPECT_EQ(sms_segments(times(160, "a")), 1u);
    EXPECT_EQ(sms_segments(times(161, "a")), 2u);
    EXPECT_EQ(sms_segments(times(306, "é")), 2u) << "é is of the GSM alphabet";
    EXPECT_EQ(sms_segments(times(307, "é")), 3u);
    EXPECT_EQ(sms_segments(times(80, "€")), 1u) << "two places each";
    EXPECT_EQ(sms_segments(times(81, "€")), 2u);
    EXPECT_EQ(sms_segments(times(70, "ж")), 1u);
    EXPECT_EQ(sms_segments(times(71, "ж")), 2u);
    EXPECT_EQ(sms_segments(times(35, "🙂")), 1u) << "two UTF-16 units each";
    EXPECT_EQ(sms_segments(times(36, "🙂")), 2u);
    EXPECT_EQ(sms_segments("a`b" + times(68, "a")), 2u) << "the backtick is not";
}

}  // namespace
}  // namespace patchbay
