#include "messaging/phone.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

TEST(PhoneNumbers, AreBroughtToE164WhateverTheirForm) {
    const std::pair<const char*, const char*> cases[] = {
        {"+27123456789", "+27123456789"},   {"whatsapp:+27123456789", "+27123456789"},
        {"0027123456789", "+27123456789"},  {" +1 (555) 867-5310 ", "+15558675310"},
        {"+49 30 1234567", "+49301234567"}, {"15558675310", "+15558675310"},
    };
    for (const auto& [written, expected] : cases) {
        SCOPED_TRACE(written);
        EXPECT_EQ(to_e164(written), expected);
    }
}

// S37: letters, missing country codes and impossible lengths are refused rather than guessed.
TEST(PhoneNumbers, AreRefusedWhenTheyCannotBeDialled_S37) {
    for (const char* written : {"", "12", "0712345678", "+1555CALLME", "+1234567890123456789",
                                "hello", "+", "whatsapp:"}) {
        SCOPED_TRACE(written);
        EXPECT_EQ(to_e164(written), std::nullopt);
    }
}

TEST(PhoneNumbers, HaveAnotherFormWhereADigitWasPutInLater) {
    const std::pair<const char*, const char*> pairs[] = {
        {"+5541988887777", "+554188887777"},
        {"+5491123456789", "+541123456789"},
        {"+5215512345678", "+525512345678"},
    };
    for (const auto& [with, without] : pairs) {
        EXPECT_EQ(phone_variant(with), without);
        EXPECT_EQ(phone_variant(without), with);
    }
    for (const char* other : {"+27123456789", "+15558675310", "+55419", "+5541888877771", ""}) {
        EXPECT_EQ(phone_variant(other), "") << other;
    }
}

TEST(Addresses, KeepTheKindTheirPrefixNames) {
    EXPECT_EQ(parse_address("email:ann@x.org")->kind, "email");
    EXPECT_EQ(parse_address("email:ann@x.org")->value, "ann@x.org");
    EXPECT_EQ(parse_address("+15558675310")->kind, "phone");
    EXPECT_FALSE(parse_address("user:").has_value());
}

}  // namespace
}  // namespace patchbay
