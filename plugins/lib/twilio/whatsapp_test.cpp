#include "whatsapp.hpp"

#include <gtest/gtest.h>

#include "events.hpp"
#include "json.hpp"
#include "messages.hpp"
#include "vectors_for_test.hpp"

namespace patchbay::twilio {
namespace {

const std::string account = "AC0123456789abcdef0123456789abcdef";

struct AddressCase {
    const char* text;
    Address expected;
};

TEST(TwilioWhatsApp, ReadsPhonesAndBusinessScopedIdsS3_26) {
    const AddressCase cases[] = {
        {"whatsapp:+15558675310", Address::phone("+15558675310")},
        {"+15558675310", Address::phone("+15558675310")},
        {"whatsapp: 15558675310", Address::phone("+15558675310")},
        {" whatsapp:+15558675310", Address::phone("+15558675310")},
        {"whatsapp:US.13491208655302741918", {"user", "US.13491208655302741918"}},
        {"", {}},
    };
    for (const auto& [text, expected] : cases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(whatsapp_address(text), expected);
    }
    EXPECT_EQ(whatsapp_text(Address::phone("+15558675310")), "whatsapp:+15558675310");
    EXPECT_EQ(whatsapp_text({"user", "US.1349"}), "whatsapp:US.1349");
    EXPECT_EQ(whatsapp_text({}), "");
}

TEST(TwilioWhatsApp, TellsABusinessScopedIdFromOtherWords) {
    for (const char* id : {"US.1234", "IN.2081978709342942", "IN.ENT.9081726354"}) {
        EXPECT_TRUE(is_user_id(id)) << id;
    }
    for (const char* other : {"foo_bar", "US.", "us.1234", "USA.1", "US-1234", "US.12 34", ""}) {
        EXPECT_FALSE(is_user_id(other)) << other;
    }
}

const Event& the_message(const std::vector<Event>& events) {
    for (const Event& event : events) {
        if (event.topic == "message.received") return event;
    }
    throw std::runtime_error("no message");
}

void expect_extras(const Event& message, const Poco::JSON::Object& expected) {
    if (const auto place = expected.getObject("location")) {
        const auto data = parse_object(message.data)->getObject("location");
        EXPECT_EQ(message.kind, "location");
        for (const char* key : {"latitude", "longitude"}) {
            EXPECT_DOUBLE_EQ(data->getValue<double>(key), place->getValue<double>(key));
        }
        EXPECT_EQ(text_at(*data, "label"), text_at(*place, "label"));
        EXPECT_EQ(text_at(*data, "address"), text_at(*place, "address"));
    }
    if (const auto button = expected.getObject("button")) {
        EXPECT_EQ(message.kind, "interactive");
        EXPECT_EQ(message.extra.at("ButtonText"), text_at(*button, "text"));
        EXPECT_EQ(message.extra.at("ButtonPayload"), text_at(*button, "payload"));
    }
    if (const auto list = expected.getObject("list")) {
        EXPECT_EQ(message.kind, "interactive");
        EXPECT_EQ(message.extra.at("ListId"), text_at(*list, "id"));
        EXPECT_EQ(message.extra.at("ListTitle"), text_at(*list, "title"));
    }
    if (expected.has("flow")) {
        EXPECT_EQ(message.kind, "interactive");
        EXPECT_NE(parse_object(message.extra.at("FlowData")), nullptr);
    }
    if (expected.has("reply_to_sid")) {
        EXPECT_EQ(message.reply_to, text_at(expected, "reply_to_sid"));
    }
    if (expected.has("forwarded")) {
        EXPECT_EQ(message.extra.at("Forwarded"), "true");
    }
    if (expected.has("referral_source_id")) {
        EXPECT_EQ(message.extra.at("ReferralSourceId"), text_at(expected, "referral_source_id"));
    }
}

TEST(TwilioWhatsApp, ReadsEverySharedMessage) {
    int rows = 0;
    const auto cases = shared_cases("contracts/vectors/twilio-webhooks.json");
    if (cases.empty()) GTEST_SKIP();
    for (const auto& given : cases) {
        if (text_at(*given, "kind") != "inbound_whatsapp") continue;
        SCOPED_TRACE("S3-03 " + text_at(*given, "name"));
        ++rows;
        const auto expected = given->getObject("expect");
        const auto events =
            events_from({.body = text_at(*given, "raw_body")}, account, whatsapp_address);
        const Event& message = the_message(events);
        EXPECT_EQ(message.provider_id, text_at(*expected, "message_sid"));
        EXPECT_EQ(whatsapp_text(message.from), text_at(*expected, "from"));
        EXPECT_EQ(whatsapp_text(message.to), text_at(*expected, "to"));
        EXPECT_EQ(message.text, text_at(*expected, "text"));
        EXPECT_EQ(message.contact_name, text_at(*expected, "profile_name"));
        const std::string user_id = text_at(*expected, "external_user_id");
        const bool is_sender = whatsapp_text(message.from) == user_id;
        ASSERT_EQ(message.also.size(), user_id.empty() || is_sender ? 0u : 1u);
        if (!message.also.empty()) {
            EXPECT_EQ(whatsapp_text(message.also[0]), user_id);
        }
        const auto media = expected->getArray("media");
        ASSERT_EQ(message.media.size(), media->size());
        for (size_t i = 0; i < media->size(); ++i) {
            const auto file = media->getObject(static_cast<unsigned>(i));
            EXPECT_EQ(message.media[i].url, text_at(*file, "url"));
            EXPECT_EQ(message.media[i].type, text_at(*file, "content_type"));
        }
        expect_extras(message, *expected);
    }
    EXPECT_EQ(rows, 11);
}

TEST(TwilioWhatsApp, ReadsEverySharedStatus) {
    int rows = 0;
    const auto cases = shared_cases("contracts/vectors/twilio-webhooks.json");
    if (cases.empty()) GTEST_SKIP();
    for (const auto& given : cases) {
        if (text_at(*given, "kind") != "status_callback" ||
            !text_at(*given, "name").starts_with("WhatsApp")) {
            continue;
        }
        SCOPED_TRACE("S3-21 " + text_at(*given, "name"));
        ++rows;
        const auto expected = given->getObject("expect");
        const auto events =
            events_from({.body = text_at(*given, "raw_body")}, account, whatsapp_address);
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0].provider_id, text_at(*expected, "message_sid"));
        EXPECT_EQ(events[0].extra.at("provider_status"), text_at(*expected, "status"));
        EXPECT_EQ(events[0].to, Address::phone("+15558675310"));
        EXPECT_EQ(events[0].code, text_at(*expected, "error_code"));
        EXPECT_EQ(events[0].reason.empty(), events[0].code.empty());
    }
    EXPECT_EQ(rows, 5);
}

TEST(TwilioWhatsApp, TakesNoWordForABusinessScopedId) {
    const Form form{{"MessageSid", "SM1"},
                    {"From", "whatsapp:+14133881111"},
                    {"ExternalUserId", "whatsapp:foo_bar"}};
    EXPECT_TRUE(events_from({.body = form.encode()}, account, whatsapp_address).at(0).also.empty());
}

TEST(TwilioWhatsApp, AsksForATemplateInTheContentSid) {
    const Form form = form_of({.to = "whatsapp:+15558675310",
                               .from = "whatsapp:+14155552671",
                               .content_sid = "HX1",
                               .content_variables = R"({"1":"Ann & Bo"})"});
    EXPECT_EQ(form.require("ContentSid"), "HX1");
    EXPECT_EQ(form.require("ContentVariables"), R"({"1":"Ann & Bo"})");
    EXPECT_FALSE(form.has("Body"));
}

// What the template became is Twilio's text, so the addresses and the time have to do.
TEST(TwilioWhatsApp, FindsATemplateWhoseAnswerWasLostF20) {
    const Draft draft{.to = "whatsapp:+1", .from = "whatsapp:+2", .content_sid = "HX1"};
    const std::vector<Record> records{{.sid = "SM1",
                                       .direction = "outbound-api",
                                       .from = "whatsapp:+2",
                                       .to = "whatsapp:+1",
                                       .body = "Hello Ann, your table is ready"}};
    ASSERT_NE(find_copy(records, draft, 1, {}), nullptr);
    EXPECT_EQ(find_copy(records, draft, 1, {"SM1"}), nullptr);
}

}  // namespace
}  // namespace patchbay::twilio
