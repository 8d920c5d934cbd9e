#include "phone.hpp"

#include <gtest/gtest.h>

namespace patchbay::twilio {
namespace {

struct PhoneCase {
    const char* text;
    const char* expected;
};

TEST(TwilioPhone, IsReadAsPeopleWriteItX24) {
    const PhoneCase cases[] = {
        {"+15558675310", "+15558675310"},
        {"whatsapp:+27123456789", "+27123456789"},
        {"0027123456789", "+27123456789"},
        {"27123456789", "+27123456789"},
        {" 27123456789", "+27123456789"},
        {"+1 (555) 867-5310", "+15558675310"},
        {"+1.555.867.5310", "+15558675310"},
        {"0123456789", ""},
        {"+123456", ""},
        {"+1234567890123456", ""},
        {"+1555CALLNOW", ""},
        {"1+5558675310", ""},
        {"", ""},
    };
    for (const auto& [text, expected] : cases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(e164(text), expected);
    }
}

}  // namespace
}  // namespace patchbay::twilio
