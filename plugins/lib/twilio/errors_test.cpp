#include "errors.hpp"

#include <gtest/gtest.h>

#include "events.hpp"

namespace patchbay::twilio {
namespace {

struct ErrorCase {
    const char* code;
    const char* refusal;
    bool for_the_operator;
};

const ErrorCase error_cases[] = {
    {"21610", "recipient_opted_out", false},  {"63016", "window_closed", false},
    {"21211", "invalid_phone_number", false}, {"63003", "invalid_phone_number", false},
    {"63024", "invalid_phone_number", false}, {"21606", "provider_refused", true},
    {"63007", "provider_refused", true},      {"30002", "provider_refused", true},
    {"30007", "provider_refused", false},     {"29999", "provider_refused", false},
    {"", "provider_refused", false},
};

TEST(TwilioErrors, AreWordsOfOursS3_31) {
    for (const auto& [code, refusal, for_the_operator] : error_cases) {
        SCOPED_TRACE(code);
        EXPECT_EQ(refusal_code(code), refusal);
        EXPECT_EQ(is_for_the_operator(code), for_the_operator);
    }
    EXPECT_EQ(words_for("29999"), "");
}

Event failed_with(const Form& more) {
    Form form{{"MessageSid", "SM1"}, {"MessageStatus", "undelivered"}};
    for (const auto& [name, value] : more.all()) form.add(name, value);
    return events_from({.body = form.encode()}, "AC1", sms_address).at(0);
}

TEST(TwilioErrors, HaveWordsWhereACallbackHasOnlyTheCode) {
    EXPECT_EQ(failed_with({{"ErrorCode", "30006"}}).reason, "landline or carrier");
    EXPECT_EQ(failed_with({{"ErrorCode", "63016"}}).reason,
              "outside the 24-hour window; use a template");
    EXPECT_EQ(failed_with({{"ErrorCode", "63016"}, {"ChannelStatusMessage", "As it says"}}).reason,
              "As it says");
    EXPECT_EQ(failed_with({{"ErrorCode", "29999"}}).reason, "");
}

}  // namespace
}  // namespace patchbay::twilio
