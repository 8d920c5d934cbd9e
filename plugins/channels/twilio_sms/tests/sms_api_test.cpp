#include "sms_api.hpp"

#include <gtest/gtest.h>

namespace patchbay::twilio_sms {
namespace {

struct WordCase {
    DeliveryStatus status;
    const char* word;
};

TEST(SmsApi, PrintsEachStatusAsItsWordS4_07) {
    const WordCase cases[] = {
        {DeliveryStatus::queued, "QUEUED"},       {DeliveryStatus::sending, "QUEUED"},
        {DeliveryStatus::accepted, "QUEUED"},     {DeliveryStatus::sent, "SENT"},
        {DeliveryStatus::delivered, "DELIVERED"}, {DeliveryStatus::read, "DELIVERED"},
        {DeliveryStatus::failed, "FAILED"},       {DeliveryStatus::expired, "EXPIRED"},
        {DeliveryStatus::cancelled, "CANCELLED"}, {DeliveryStatus::unknown, "UNKNOWN"},
    };
    for (const auto& [status, word] : cases) EXPECT_EQ(status_word(status), word);
}

struct PhoneCase {
    const char* text;
    const char* expected;
};

TEST(SmsApi, ReadsPhonesAsPeopleWriteThemX24) {
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
}  // namespace patchbay::twilio_sms
