#include <patchbay/form.hpp>
#include <patchbay/text.hpp>

#include "endpoints.hpp"

namespace patchbay::twilio_whatsapp {
namespace {

using testing::HasSubstr;

const OutboundMessage hello{.id = message_id,
                            .conversation = "conversation-1",
                            .text = "hello & +1",
                            .to = Address::phone(customer),
                            .first_tried_ms = 1'800'000'000'000};

struct TwilioWhatsApp : Endpoints {
    Form sent_form() { return Form::parse(channel.last_provider_request().body); }
};

// ---- sending ----

TEST_F(TwilioWhatsApp, SendsAFormWithBothAddressesPrefixedS3_26) {
    channel.provider_answers(201, R"({"sid":"SM1","status":"queued"})");
    const SendResult result = channel.send(hello);
    EXPECT_EQ(result.outcome, Outcome::accepted);
    EXPECT_EQ(result.provider_id, "SM1");
    const ProviderRequest request = channel.last_provider_request();
    EXPECT_EQ(request.url,
              "https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages.json");
    EXPECT_EQ(request.headers.at("authorization"), "Basic " + to_base64(account + ":a-token"));
    EXPECT_EQ(sent_form().all(),
              (std::vector<Form::Pair>{
                  {"To", "whatsapp:" + customer},
                  {"From", "whatsapp:" + number},
                  {"Body", "hello & +1"},
                  {"StatusCallback",
                   "https://hub.example/hooks/under_test/status?message=" + message_id}}));
}

TEST_F(TwilioWhatsApp, SendsToABusinessScopedId) {
    OutboundMessage message = hello;
    message.to = {"user", "US.1349"};
    message.from = {"user", number};
    channel.provider_answers(201, R"({"sid":"SM1"})");
    channel.send(message);
    EXPECT_EQ(sent_form().require("To"), "whatsapp:US.1349");
    EXPECT_EQ(sent_form().require("From"), "whatsapp:" + number);
}

TEST_F(TwilioWhatsApp, SendsAFileByItsUrlS3_13) {
    OutboundMessage message = hello;
    message.media = {{.url = "https://a.example/1.jpg?x=1&y=2"}};
    channel.provider_answers(201, R"({"sid":"MM1"})");
    channel.send(message);
    EXPECT_EQ(sent_form().require("MediaUrl"), "https://a.example/1.jpg?x=1&y=2");
    message.media = {{.id = "blob-1"}};
    channel.send(message);
    EXPECT_EQ(sent_form().require("MediaUrl"), "https://hub.example/media/blob-1");
}

TEST_F(TwilioWhatsApp, SendsATemplateByItsContentSid) {
    OutboundMessage message = hello;
    message.text = "not sent";
    message.from_template = Template{.name = "HX1", .params = {"Ann", "12:30"}};
    channel.provider_answers(201, R"({"sid":"SM1"})");
    channel.send(message);
    EXPECT_EQ(sent_form().require("ContentSid"), "HX1");
    EXPECT_EQ(sent_form().require("ContentVariables"), R"({"1":"Ann","2":"12:30"})");
    EXPECT_FALSE(sent_form().has("Body"));

    message.from_template = Template{.name = "order_ready", .provider_id = "HX2"};
    message.from_template->variables = {{"name", "Ann"}};
    channel.send(message);
    EXPECT_EQ(sent_form().require("ContentSid"), "HX2");
    EXPECT_EQ(sent_form().require("ContentVariables"), R"({"name":"Ann"})");

    message.from_template = Template{.name = "order_ready"};
    EXPECT_EQ(channel.send(message).outcome, Outcome::refused);
}

TEST_F(TwilioWhatsApp, StoresAnOptOutThatTwilioKnowsOf) {
    channel.provider_answers(400, R"({"code":21610,"message":"unsubscribed"})");
    EXPECT_EQ(channel.send(hello).outcome, Outcome::opted_out);
}

TEST_F(TwilioWhatsApp, TellsTheOperatorWhatEveryMessageWillMeetS3_42_S3_43) {
    channel.provider_answers(400, R"({"code":63007,"message":"no such sender"})");
    EXPECT_EQ(channel.send(hello).outcome, Outcome::refused);
    const LogLine line = channel.log().back();
    EXPECT_EQ(line.level, Level::error);
    EXPECT_THAT(line.text, HasSubstr("WhatsApp"));
    EXPECT_EQ(line.fields.at("code"), "63007");
    EXPECT_EQ(channel.metrics().at("account_refusals_total"), 1);

    channel.provider_answers(400, R"({"code":21211,"message":"not a number"})");
    channel.send(hello);
    EXPECT_EQ(channel.metrics().at("account_refusals_total"), 1);
}

TEST_F(TwilioWhatsApp, PausesTheChannelForBadCredentials) {
    channel.provider_answers(401, R"({"code":20003,"message":"Authenticate"})");
    try {
        channel.send(hello);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::unauthorized);
    }
}

TEST_F(TwilioWhatsApp, CannotTellWhatALostAnswerWasS3_30) {
    channel.provider_hangs_up();
    try {
        channel.send(hello);
        FAIL();
    } catch (const Error& error) {
        EXPECT_TRUE(error.request_left);
    }
}

TEST_F(TwilioWhatsApp, WaitsAsLongAsTwilioAsksS3_45) {
    channel.provider_answers(429, R"({"code":20429,"message":"slow down"})",
                             {{"Retry-After", "3"}});
    const SendResult result = channel.send(hello);
    EXPECT_EQ(result.outcome, Outcome::retry_later);
    EXPECT_EQ(result.retry_after, milliseconds{3000});
}

TEST_F(TwilioWhatsApp, CarriesWhatItSaysItCan) {
    const Capabilities can = channel.capabilities();
    EXPECT_EQ(can.session_window, std::chrono::hours{24});
    EXPECT_TRUE(can.templates);
    EXPECT_EQ(can.max_media, 1u);
    EXPECT_EQ(can.max_text_chars, 1600u);
    EXPECT_EQ(can.per_second, 80u);
}

TEST_F(TwilioWhatsApp, LooksUpAMessageWhoseAnswerWasLostF20) {
    channel.host_answers(method::conversation, [](std::string_view) {
        return wire::pack(std::optional{messaging::ConversationInfo{.contact = "k1"}});
    });
    channel.host_answers(method::list_conversations, [](std::string_view) {
        return wire::pack(
            std::vector{messaging::ConversationInfo{.id = "conversation-1", .contact = "k1"}});
    });
    channel.host_answers(method::list_messages, [](std::string_view) {
        return wire::pack(std::vector<messaging::MessageInfo>{});
    });
    channel.provider_answers(
        200, R"({"messages":[{"sid":"SM9","direction":"outbound-api","from":"whatsapp:)" + number +
                 R"(","to":"whatsapp:)" + customer +
                 R"(","body":"hello & +1","num_media":"0","status":"delivered"}]})");
    const auto found = channel.look_up(hello);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->provider_id, "SM9");
    EXPECT_EQ(found->status, DeliveryStatus::delivered);
    EXPECT_THAT(channel.last_provider_request().target,
                HasSubstr("To=whatsapp%3A%2B27123456789&From=whatsapp%3A%2B14155552671"));
}

TEST_F(TwilioWhatsApp, ReadsWhatCameDuringAnOutageS3_46) {
    channel.provider_answers(
        200,
        R"({"messages":[{"sid":"SM1","direction":"inbound","from":"whatsapp:)" + customer +
            R"(","to":"whatsapp:)" + number +
            R"(","body":"Hi","num_media":"0","date_sent":"Fri, 15 Jan 2027 09:00:00 +0000"}]})");
    const auto events = channel.list_since(1'800'000'000'000);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].dedupe_key, "message:SM1");
    EXPECT_EQ(events[0].from, Address::phone(customer));
}

// ---- receiving ----

TEST_F(TwilioWhatsApp, TakesWebhooksAtTheSeedsPathsS3_03_S3_08_S3_34) {
    const auto routes = channel.routes();
    ASSERT_EQ(routes.size(), 2u);
    EXPECT_EQ(routes[0].aliases, std::vector<std::string>{"/api/whatsapp/twilio-webhook"});
    EXPECT_EQ(routes[1].aliases, std::vector<std::string>{"/api/whatsapp/status-callback"});
    for (const Route& route : routes) {
        EXPECT_EQ(route.signature, Signature::twilio_sha1);
        EXPECT_EQ(route.secret, "auth_token");
        EXPECT_EQ(route.methods, std::vector<std::string>{"POST"});
        EXPECT_EQ(route.answer.body, R"(<?xml version="1.0" encoding="UTF-8"?><Response/>)");
        EXPECT_TRUE(route.and_custom);
    }
}

TEST_F(TwilioWhatsApp, RefusesAWrongVerifyTokenS3_27_S3_33) {
    const std::string token = "BarronPMSWebhookToken2024";
    const auto is_fine = [&](Labels query, Labels headers = {}) {
        return channel.is_authentic({.route = "message",
                                     .method = "POST",
                                     .headers = std::move(headers),
                                     .query = std::move(query)});
    };
    EXPECT_TRUE(is_fine({}));
    EXPECT_TRUE(is_fine({{"verify_token", token}}));
    EXPECT_TRUE(is_fine({}, {{"x-verify-token", token}}));
    EXPECT_FALSE(is_fine({{"verify_token", "wrong"}}));
    EXPECT_FALSE(is_fine({{"verify_token", ""}}));
    EXPECT_FALSE(is_fine({}, {{"x-verify-token", "wrong"}}));
}

TEST_F(TwilioWhatsApp, MakesAMessageOfAWebhookS3_03_S3_11_S3_23) {
    const Form form{{"MessageSid", "SM1"},
                    {"AccountSid", account},
                    {"From", "whatsapp:" + customer},
                    {"To", "whatsapp:" + number},
                    {"Body", "Yes please"},
                    {"ProfileName", "Thabo"},
                    {"ButtonText", "Yes please"},
                    {"ButtonPayload", "confirm:42"},
                    {"ExternalUserId", "whatsapp:ZA.1349"}};
    const auto events = channel.receive("message", form.encode());
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].from, Address::phone(customer));
    EXPECT_EQ(events[0].to, Address::phone(number));
    EXPECT_EQ(events[0].text, "Yes please");
    EXPECT_EQ(events[0].kind, "interactive");
    EXPECT_EQ(events[0].contact_name, "Thabo");
    EXPECT_EQ(events[0].also, (std::vector<Address>{{"user", "ZA.1349"}}));
    EXPECT_TRUE(channel.provider_requests().empty()) << "S3-23: without extra calls";
}

TEST_F(TwilioWhatsApp, TellsOfAClosedWindowThatACallbackTells) {
    const Form form{{"MessageSid", "SM1"},
                    {"MessageStatus", "undelivered"},
                    {"ErrorCode", "63016"},
                    {"To", "whatsapp:" + customer}};
    const auto events = channel.receive("status", form.encode());
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].status, DeliveryStatus::failed);
    EXPECT_EQ(events[0].code, "63016");
    EXPECT_EQ(events[0].reason, "outside the 24-hour window; use a template");
}

}  // namespace
}  // namespace patchbay::twilio_whatsapp
