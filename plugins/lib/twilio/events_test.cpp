#include "events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json.hpp"
#include "vectors_for_test.hpp"

namespace patchbay::twilio {
namespace {

using testing::ElementsAre;
using testing::Pair;

const std::string account = "AC0123456789abcdef0123456789abcdef";

std::vector<Event> events_of(const Form& form, Labels query = {}) {
    return events_from({.body = form.encode(), .query = std::move(query)}, account, sms_address);
}

Event event_of(const Form& form, Labels query = {}) {
    const auto events = events_of(form, std::move(query));
    EXPECT_EQ(events.size(), 1u);
    return events.empty() ? Event{} : events.front();
}

// The reason for keeping a webhook as ignored.
std::string reason_for(const Form& form) try {
    events_of(form);
    return "";
} catch (const RequestError& error) {
    return error.what();
}

Form message_with(std::initializer_list<Form::Pair> more) {
    Form form{{"MessageSid", "SM1"}, {"From", "+15558675310"}, {"To", "+14155552671"}};
    for (const auto& [name, value] : more) form.add(name, value);
    return form;
}

Event the_message(const std::vector<Event>& events) {
    for (const Event& event : events) {
        if (event.topic == "message.received") return event;
    }
    return {};
}

TEST(TwilioEvents, ReadEverySharedSms) {
    int rows = 0;
    const auto cases = shared_cases("contracts/vectors/twilio-webhooks.json");
    if (cases.empty()) GTEST_SKIP();
    for (const auto& given : cases) {
        if (text_at(*given, "kind") != "inbound_sms") continue;
        SCOPED_TRACE("S4-03 " + text_at(*given, "name"));
        ++rows;
        const auto expected = given->getObject("expect");
        const auto events =
            events_from({.body = text_at(*given, "raw_body")}, account, sms_address);
        const Event message = the_message(events);
        EXPECT_EQ(message.dedupe_key, "message:" + text_at(*expected, "message_sid"));
        EXPECT_EQ(message.provider_id, text_at(*expected, "message_sid"));
        EXPECT_EQ(message.from.value, text_at(*expected, "from"));
        EXPECT_EQ(message.to.value, text_at(*expected, "to"));
        EXPECT_EQ(message.text, text_at(*expected, "text"));
        const auto media = expected->getArray("media");
        ASSERT_EQ(message.media.size(), media->size());
        for (size_t i = 0; i < media->size(); ++i) {
            const auto file = media->getObject(static_cast<unsigned>(i));
            EXPECT_EQ(message.media[i].url, text_at(*file, "url"));
            EXPECT_EQ(message.media[i].type, text_at(*file, "content_type"));
        }
        const std::string opt_out = text_at(*expected, "opt_out_type");
        EXPECT_EQ(events.size(), opt_out.empty() ? 1u : 2u);
    }
    EXPECT_EQ(rows, 10);
}

TEST(TwilioEvents, ReadEverySharedStatusCallback) {
    int rows = 0;
    const auto cases = shared_cases("contracts/vectors/twilio-webhooks.json");
    if (cases.empty()) GTEST_SKIP();
    for (const auto& given : cases) {
        if (text_at(*given, "kind") != "status_callback") continue;
        SCOPED_TRACE("S4-07 " + text_at(*given, "name"));
        ++rows;
        const auto expected = given->getObject("expect");
        const std::string sid = text_at(*expected, "message_sid");
        const std::string word = text_at(*expected, "status");
        const auto events =
            events_from({.body = text_at(*given, "raw_body")}, account, sms_address);
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0].topic, "delivery.changed");
        EXPECT_EQ(events[0].dedupe_key, "status:" + sid + ":" + word);
        EXPECT_EQ(events[0].provider_id, sid);
        EXPECT_EQ(events[0].code, text_at(*expected, "error_code"));
        EXPECT_EQ(events[0].extra.at("provider_status"), word);
    }
    EXPECT_EQ(rows, 12);
}

TEST(TwilioEvents, KeepTheCodeOfEverySharedFailure) {
    int rows = 0;
    const auto cases = shared_cases("contracts/vectors/provider-errors.json");
    if (cases.empty()) GTEST_SKIP();
    for (const auto& given : cases) {
        if (text_at(*given, "provider") != "twilio") continue;
        if (text_at(*given, "where") != "status_callback") continue;
        SCOPED_TRACE("S4-22 " + text_at(*given, "name"));
        ++rows;
        const auto fields = given->getObject("body");
        const Event event = event_of({{"MessageSid", "SM1"},
                                      {"MessageStatus", text_at(*fields, "MessageStatus")},
                                      {"ErrorCode", text_at(*fields, "ErrorCode")}});
        EXPECT_EQ(event.status, DeliveryStatus::failed);
        EXPECT_EQ(event.code, text_at(*fields, "ErrorCode"));
    }
    EXPECT_EQ(rows, 7);
}

struct StatusCase {
    const char* word;
    DeliveryStatus expected;
};

const StatusCase status_cases[] = {
    {"accepted", DeliveryStatus::accepted},   {"scheduled", DeliveryStatus::accepted},
    {"queued", DeliveryStatus::accepted},     {"sending", DeliveryStatus::accepted},
    {"sent", DeliveryStatus::sent},           {"partially_delivered", DeliveryStatus::sent},
    {"delivered", DeliveryStatus::delivered}, {"read", DeliveryStatus::read},
    {"undelivered", DeliveryStatus::failed},  {"failed", DeliveryStatus::failed},
    {"canceled", DeliveryStatus::cancelled},
};

TEST(TwilioEvents, TurnEveryStatusOfTwilioIntoOneOfOurs) {
    for (const auto& [word, expected] : status_cases) {
        SCOPED_TRACE(std::string("S4-07 ") + word);
        EXPECT_EQ(event_of({{"MessageSid", "SM1"}, {"MessageStatus", word}}).status, expected);
    }
}

TEST(TwilioEvents, CarryOurMessageIdFromTheCallbackUrl) {
    const Form form{{"MessageSid", "SM1"}, {"MessageStatus", "sent"}};
    EXPECT_EQ(event_of(form, {{"message", "0193a1c2-7b1e"}}).our_message_id, "0193a1c2-7b1e");
    EXPECT_EQ(event_of(form, {{"message", "../x' OR 1"}}).our_message_id, "");
    EXPECT_EQ(event_of(form, {{"message", std::string(65, 'a')}}).our_message_id, "");
    EXPECT_EQ(event_of(form).our_message_id, "");
    EXPECT_EQ(status_url("https://hub.example.com/hooks/sms/status", "0193-a"),
              "https://hub.example.com/hooks/sms/status?message=0193-a");
}

TEST(TwilioEvents, KeepTheWordsOfAFailure) {
    const Event event = event_of({{"MessageSid", "SM1"},
                                  {"MessageStatus", "failed"},
                                  {"ErrorCode", "30008"},
                                  {"ErrorMessage", "Unknown error"}});
    EXPECT_EQ(event.code, "30008");
    EXPECT_EQ(event.reason, "Unknown error");
}

TEST(TwilioEvents, ReadBothKindsOnOneUrl) {
    EXPECT_EQ(event_of(message_with({{"SmsStatus", "received"}})).topic, "message.received");
    EXPECT_EQ(event_of(message_with({{"SmsStatus", "delivered"}})).topic, "delivery.changed");
    EXPECT_EQ(event_of(message_with({})).topic, "message.received");
}

TEST(TwilioEvents, IgnoreWithAReasonWhatTheyCannotUse) {
    EXPECT_EQ(reason_for({}), "MessageSid is missing");
    EXPECT_EQ(reason_for({{"MessageSid", "SM1"}}), "From is missing");
    EXPECT_EQ(reason_for({{"MessageSid", "SM1"}, {"MessageStatus", "huh"}}), "unknown_status");
}

TEST(TwilioEvents, IgnoreAnotherAccountS49) {
    EXPECT_EQ(reason_for(message_with({{"AccountSid", "ACother"}})), "unknown_account");
    EXPECT_EQ(reason_for(message_with({{"AccountSid", account}})), "");
    EXPECT_EQ(reason_for(message_with({})), "");
}

TEST(TwilioEvents, TakeTheOlderNamesOfTheSid) {
    EXPECT_EQ(event_of({{"SmsSid", "SM9"}, {"From", "+12345"}, {"Body", "hi"}}).dedupe_key,
              "message:SM9");
    EXPECT_EQ(event_of({{"SmsSid", "SMxx"}, {"MessageSid", "SMd5"}, {"MessageStatus", "read"}})
                  .dedupe_key,
              "status:SMd5:read");
}

TEST(TwilioEvents, LeaveOutNulBytes) {
    const Request request{.body = "MessageSid=SM1&From=%2B12345&Body=remove%00+null+bytes%00"};
    EXPECT_EQ(events_from(request, account, sms_address).at(0).text, "remove null bytes");
    const Request percent{.body = "MessageSid=SM1&From=%2B12345&Body=100%2500"};
    EXPECT_EQ(events_from(percent, account, sms_address).at(0).text, "100%00");
}

TEST(TwilioEvents, RefuseAFormThatIsNone) {
    for (const char* body : {"Body=%zz", "Body=%ff", "MessageSid=SM1&MessageSid=SM2&From=%2B1"}) {
        SCOPED_TRACE(body);
        EXPECT_THROW(events_from({.body = body}, account, sms_address), RequestError);
    }
}

struct AddressCase {
    const char* text;
    Address expected;
};

TEST(TwilioEvents, TellPhonesFromOtherSenders) {
    const AddressCase cases[] = {
        {"+15558675310", Address::phone("+15558675310")},
        {" 15558675310", Address::phone("+15558675310")},
        {"72345", {"user", "72345"}},
        {"BANK", {"user", "BANK"}},
        {"+1555abc", {"user", "+1555abc"}},
        {"", {}},
    };
    for (const auto& [text, expected] : cases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(sms_address(text), expected);
    }
}

TEST(TwilioEvents, TakeMediaByTheirUrlsNotByTheirCount) {
    for (const char* count : {"0", "1", "-1", "99", "many"}) {
        SCOPED_TRACE(count);
        const Event event = event_of(message_with({{"NumMedia", count},
                                                   {"MediaUrl0", "https://a/0"},
                                                   {"MediaContentType0", "image/png"},
                                                   {"MediaUrl1", "https://a/1"}}));
        ASSERT_EQ(event.media.size(), 2u);
        EXPECT_EQ(event.media[0].type, "image/png");
        EXPECT_EQ(event.media[1].url, "https://a/1");
        EXPECT_EQ(event.kind, "image");
    }
}

TEST(TwilioEvents, KeepOtherFieldsAsAttributes) {
    const Event event = event_of(message_with(
        {{"Body", "Msg"}, {"ButtonText", "Confirm"}, {"FromCity", ""}, {"FromZip", "01022"}}));
    EXPECT_THAT(event.extra, ElementsAre(Pair("ButtonText", "Confirm"), Pair("FromZip", "01022")));
    EXPECT_EQ(event.text, "Msg");
    EXPECT_EQ(event.kind, "interactive");
}

TEST(TwilioEvents, KeepAttributesSmallEnoughToStore) {
    const Event event = event_of(message_with({{"Huge", std::string(100'000, 'x')}}));
    EXPECT_TRUE(event.extra.empty());
}

TEST(TwilioEvents, ReadAPlace) {
    const Event event = event_of(message_with(
        {{"Latitude", "12.160894393921"}, {"Longitude", "75.265205383301"}, {"Label", "Home"}}));
    EXPECT_EQ(event.kind, "location");
    EXPECT_EQ(
        event.data,
        R"({"location":{"latitude":12.160894393921,"longitude":75.265205383301,"label":"Home"}})");
    EXPECT_EQ(event_of(message_with({{"Latitude", "91"}, {"Longitude", "0"}})).kind, "text");
}

TEST(TwilioEvents, GiveTheNameOfAContactWhenThereIsOne) {
    EXPECT_EQ(event_of(message_with({{"ProfileName", "John Doe"}})).contact_name, "John Doe");
    EXPECT_EQ(event_of(message_with({{"ProfileName", " "}})).contact_name, "");
}

TEST(TwilioEvents, TellConsentBeforeTheMessage) {
    const auto events = events_of(message_with({{"Body", "no more"}, {"OptOutType", "STOP"}}));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].topic, "consent.changed");
    EXPECT_EQ(events[0].from, Address::phone("+15558675310"));
    EXPECT_EQ(events[0].extra.at("state"), "out");
    EXPECT_EQ(events[1].topic, "message.received");
    EXPECT_EQ(events_of(message_with({{"OptOutType", "HELP"}})).size(), 1u);
}

TEST(TwilioEvents, TellConsentWhenACallbackSaysOptedOut) {
    const auto events = events_of({{"ErrorCode", "21610"},
                                   {"MessageSid", "SM1"},
                                   {"MessageStatus", "failed"},
                                   {"To", "+12028831111"}});
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].status, DeliveryStatus::failed);
    EXPECT_EQ(events[1].topic, "consent.changed");
    EXPECT_EQ(events[1].from, Address::phone("+12028831111"));
    EXPECT_EQ(events[1].code, "21610");
}

TEST(TwilioEvents, AreTheSameWhenTheRequestIsReadAgainC9) {
    const Form form = message_with({{"Body", "hi"}, {"OptOutType", "STOP"}});
    const auto first = events_of(form), second = events_of(form);
    ASSERT_EQ(first.size(), second.size());
    for (size_t i = 0; i < first.size(); ++i) {
        EXPECT_EQ(wire::write(first[i]), wire::write(second[i]));
    }
}

}  // namespace
}  // namespace patchbay::twilio
