#include "content.hpp"

#include <gtest/gtest.h>

#include <twilio/json.hpp>

namespace patchbay::twilio_whatsapp {
namespace {

struct Read {
    Content content;
    std::vector<twilio::FieldError> errors;
};

Read read(const std::string& json) {
    Read out;
    out.content = read_content(*twilio::parse_object(json), out.errors);
    return out;
}

struct KindCase {
    const char* json;
    const char* kind;
    const char* text;
    const char* url;
};

TEST(WhatsAppContent, IsOneOfFiveTypesS3_13) {
    const KindCase cases[] = {
        {R"({"message_text":"Hi"})", "text", "Hi", ""},
        {R"({"message_text":"Hi","message_type":"text"})", "text", "Hi", ""},
        {R"({"message_text":"Look","message_type":"image","media_url":"https://a/1.jpg"})", "image",
         "Look", "https://a/1.jpg"},
        {R"({"message_type":"video","media_url":"https://a/1.mp4"})", "video", "",
         "https://a/1.mp4"},
        {R"({"message_text":"https://a/1.ogg","message_type":"audio"})", "audio", "",
         "https://a/1.ogg"},
        {R"({"message_text":" http://a/1.pdf ","message_type":"document"})", "document", "",
         "http://a/1.pdf"},
    };
    for (const auto& [json, kind, text, url] : cases) {
        SCOPED_TRACE(json);
        const Read out = read(json);
        EXPECT_TRUE(out.errors.empty());
        EXPECT_EQ(out.content.kind, kind);
        EXPECT_EQ(out.content.text, text);
        ASSERT_EQ(out.content.media.size(), *url ? 1u : 0u);
        if (*url) {
            EXPECT_EQ(out.content.media[0].url, url);
        }
    }
}

TEST(WhatsAppContent, MayBeATemplateInPlaceOfTheRest) {
    const Read out =
        read(R"({"message_text":"not sent","content_sid":"HX0123456789abcdef0123456789abcdef",)"
             R"("content_variables":{"1":"Ann","room":12}})");
    EXPECT_TRUE(out.errors.empty());
    EXPECT_EQ(out.content.kind, "template");
    EXPECT_EQ(out.content.text, "");
    EXPECT_EQ(out.content.from_template->provider_id, "HX0123456789abcdef0123456789abcdef");
    EXPECT_EQ(out.content.from_template->variables, (Labels{{"1", "Ann"}, {"room", "12"}}));
}

struct BadCase {
    const char* json;
    const char* field;
    const char* code;
};

TEST(WhatsAppContent, TellsWhatIsWrongWithItS3_40) {
    const BadCase cases[] = {
        {R"({})", "message_text", "missing_field"},
        {R"({"message_text":null})", "message_text", "missing_field"},
        {R"({"message_text":" "})", "message_text", "invalid_field"},
        {R"({"message_text":7})", "message_text", "invalid_field"},
        {R"({"message_text":"x","message_type":"sticker"})", "message_type", "invalid_field"},
        {R"({"message_text":"x","message_type":"image"})", "media_url", "missing_field"},
        {R"({"message_text":"see https://a/1.jpg","message_type":"image"})", "media_url",
         "missing_field"},
        {R"({"message_type":"image","media_url":"http://a/1.jpg"})", "media_url", "invalid_field"},
        {R"({"message_type":"image","media_url":"https://a/1 2.jpg"})", "media_url",
         "invalid_field"},
        {R"({"message_text":"x","media_url":"https://a/1.jpg"})", "media_url", "invalid_field"},
        {R"({"content_sid":"HX1"})", "content_sid", "invalid_field"},
        {R"({"content_sid":"HX0123456789abcdef0123456789abcdef","content_variables":"x"})",
         "content_variables", "invalid_field"},
        {R"({"content_sid":"HX0123456789abcdef0123456789abcdef","content_variables":{"a":[]}})",
         "content_variables/a", "invalid_field"},
    };
    for (const auto& [json, field, code] : cases) {
        SCOPED_TRACE(json);
        const Read out = read(json);
        ASSERT_FALSE(out.errors.empty());
        EXPECT_EQ(out.errors[0].field, field);
        EXPECT_EQ(out.errors[0].code, code);
    }
}

TEST(WhatsAppContent, GoesToPhonesAndToBusinessScopedIds) {
    EXPECT_EQ(recipient_in("+27 12 345 6789"), Address::phone("+27123456789"));
    EXPECT_EQ(recipient_in("whatsapp:+27123456789"), Address::phone("+27123456789"));
    EXPECT_EQ(recipient_in(" 27123456789"), Address::phone("+27123456789"));
    EXPECT_EQ(recipient_in("US.1349"), (Address{"user", "US.1349"}));
    EXPECT_EQ(recipient_in("whatsapp:US.1349"), (Address{"user", "US.1349"}));
    for (const char* other : {"12", "0123456789", "call me", ""}) {
        EXPECT_EQ(recipient_in(other), Address{}) << other;
    }
}

}  // namespace
}  // namespace patchbay::twilio_whatsapp
