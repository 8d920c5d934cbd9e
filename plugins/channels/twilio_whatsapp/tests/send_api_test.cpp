#include "endpoints.hpp"

namespace patchbay::twilio_whatsapp {
namespace {

struct WhatsAppSend : Endpoints {
    messaging::MessageInfo stored{.id = message_id,
                                  .channel = "under_test",
                                  .direction = "out",
                                  .text = "Job status update",
                                  .provider_id = "SM0a1b",
                                  .peer = Address::phone(customer),
                                  .status = DeliveryStatus::accepted,
                                  .created_ms = 1'800'000'000'123};
    messaging::NewMessage asked;

    WhatsAppSend() {
        channel.host_answers(method::send_message, [this](std::string_view in) {
            Call call;
            asked = {};
            wire::unpack(in, wire::Text::trusted, call, asked);
            return wire::pack(stored);
        });
    }
    void hub_refuses(ErrorKind kind, const std::string& code) {
        channel.host_answers(method::send_message, [kind, code](std::string_view) -> std::string {
            Error error{kind, "because"};
            error.code = code;
            throw error;
        });
    }
};

const std::string seed =
    R"({"phone_number":"+27123456789","message_text":"Job status update","message_type":"text"})";

TEST_F(WhatsAppSend, AnswersWhatTwilioSaidS3_01) {
    const Response reply = post("send", seed);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, R"({"success":true,"id":")" + message_id +
                              R"(","message_id":"SM0a1b","status":"sent",)"
                              R"("timestamp":"2027-01-15T08:00:00.123Z","error":null})");
    EXPECT_EQ(asked.channel, "under_test");
    EXPECT_EQ(asked.to, Address::phone(customer));
    EXPECT_EQ(asked.text, "Job status update");
    EXPECT_EQ(asked.kind, "text");
    EXPECT_EQ(asked.author, "u1");
    EXPECT_EQ(asked.wait, milliseconds{10'000});
}

TEST_F(WhatsAppSend, Answers202WhileTheJobGoesOnS3_30) {
    for (const auto status :
         {DeliveryStatus::queued, DeliveryStatus::sending, DeliveryStatus::unknown}) {
        stored.status = status;
        const Response reply = post("send", seed);
        EXPECT_EQ(reply.status, 202);
        const auto json = twilio::parse_object(reply.body);
        EXPECT_EQ(twilio::text_at(*json, "status"), "queued");
        EXPECT_TRUE(json->isNull("message_id"));
        EXPECT_TRUE(json->getValue<bool>("success"));
    }
}

TEST_F(WhatsAppSend, HandsFilesAndTemplatesToTheHubS3_13) {
    post("send", R"({"phone_number":"+27123456789","message_type":"image","message_text":"Look",)"
                 R"("media_url":"https://a/1.jpg"})");
    EXPECT_EQ(asked.kind, "image");
    EXPECT_EQ(asked.text, "Look");
    ASSERT_EQ(asked.media.size(), 1u);
    EXPECT_EQ(asked.media[0].url, "https://a/1.jpg");

    post("send", R"({"phone_number":"US.1349","content_sid":"HX0123456789abcdef0123456789abcdef",)"
                 R"("content_variables":{"1":"Ann"}})");
    EXPECT_EQ(asked.to, (Address{"user", "US.1349"}));
    EXPECT_EQ(asked.kind, "template");
    EXPECT_EQ(asked.from_template->variables, (Labels{{"1", "Ann"}}));
}

struct RefusalCase {
    const char* provider_code;
    const char* code;
};

TEST_F(WhatsAppSend, TellsWhatTwilioRefusedS3_31) {
    const RefusalCase cases[] = {{"63007", "provider_refused"},
                                 {"21610", "recipient_opted_out"},
                                 {"21211", "invalid_phone_number"},
                                 {"63016", "window_closed"}};
    for (const auto& [provider_code, code] : cases) {
        SCOPED_TRACE(provider_code);
        stored.status = DeliveryStatus::failed;
        stored.code = provider_code;
        stored.reason = "because";
        const Response reply = post("send", seed);
        expect_problem(reply, 422, code);
        const auto json = twilio::parse_object(reply.body);
        EXPECT_EQ(twilio::text_at(*json, "provider_code"), provider_code);
        EXPECT_EQ(twilio::text_at(*json, "reason"), "because");
        EXPECT_EQ(twilio::text_at(*json, "id"), message_id);
    }
}

TEST_F(WhatsAppSend, PassesOnWhatTheHubRefuses) {
    for (const char* code : {"recipient_opted_out", "window_closed", "text_too_long"}) {
        hub_refuses(ErrorKind::refused, code);
        expect_problem(post("send", seed), 422, code);
    }
    hub_refuses(ErrorKind::rate_limited, "rate_limited");
    const Response limited = post("send", seed);
    expect_problem(limited, 429, "rate_limited");
    EXPECT_EQ(limited.header("retry-after"), "12");
}

TEST_F(WhatsAppSend, LeavesTroubleOfTheDatabaseToTheHubS3_32) {
    hub_refuses(ErrorKind::unavailable, "storage_unavailable");
    EXPECT_THROW(post("send", seed), Error);
}

TEST_F(WhatsAppSend, WantsTheCountryCodeS3_29) {
    for (const char* bad : {"12", "0123456789", "call me", "+2712A"}) {
        SCOPED_TRACE(bad);
        const Response reply =
            post("send", R"({"phone_number":")" + std::string{bad} + R"(","message_text":"x"})");
        expect_problem(reply, 422, "invalid_phone_number", "/phone_number");
        EXPECT_THAT(reply.body, testing::HasSubstr("needs the country code, as in +27..."));
    }
}

TEST_F(WhatsAppSend, TellsWhatIsWrongWithTheRequestS3_40) {
    expect_problem(post("send", "[]"), 400, "invalid_json");
    expect_problem(post("send", R"({"message_text":"x"})"), 422, "missing_field", "/phone_number");
    expect_problem(post("send", R"({"phone_number":27123456789,"message_text":"x"})"), 422,
                   "invalid_field", "/phone_number");
    const Response both = post("send", "{}");
    expect_problem(both, 422, "missing_field", "/phone_number");
    EXPECT_EQ(twilio::parse_object(both.body)->getArray("errors")->size(), 2u);
    EXPECT_EQ(post("send", R"({"phone_number":"+27123456789","message_text":"x","zz":1})").status,
              200);
}

TEST_F(WhatsAppSend, IsOnceForOneIdempotencyKeyG4) {
    channel.answer({.route = "send",
                    .method = "POST",
                    .body = seed,
                    .headers = {{"idempotency-key", "first-1"}},
                    .user = "u1"});
    EXPECT_EQ(asked.key, "whatsapp.send:u1:first-1");
}

TEST_F(WhatsAppSend, IsOneServiceForOtherPartsOfASystemS3_17) {
    ASSERT_EQ(channel.operations().size(), 1u);
    EXPECT_EQ(channel.operations()[0].name, "send");
    const std::string answer = channel.perform(
        {.name = "send",
         .input = R"({"phone_number":"+27123456789","message_text":"Job 7 completed"})",
         .key = "job-7",
         .caller = "planning"});
    EXPECT_EQ(answer, R"({"id":")" + message_id + R"(","status":"sent"})");
    EXPECT_EQ(asked.text, "Job 7 completed");
    EXPECT_EQ(asked.key, "operation:planning:job-7");
    EXPECT_EQ(asked.wait, milliseconds{0});
    EXPECT_THROW(channel.perform({.name = "send", .input = "{}", .key = "k"}), Error);
    EXPECT_THROW(channel.perform({.name = "call", .input = "{}", .key = "k"}), Error);
}

}  // namespace
}  // namespace patchbay::twilio_whatsapp
