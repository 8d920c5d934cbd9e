#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <patchbay/form.hpp>
#include <patchbay/testing.hpp>
#include <patchbay/text.hpp>

namespace patchbay::twilio_sms {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string account = "AC0123456789abcdef0123456789abcdef";
const std::string number = "+14155552671", customer = "+15558675310";

const Labels config{{"account_sid", account},
                    {"auth_token", "a-token"},
                    {"default_from", number},
                    {"number_aliases[]", "1"},
                    {"number_aliases[0]", "+14155552672"}};

const OutboundMessage hello{.id = "0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f",
                            .conversation = "conversation-1",
                            .text = "hello & +1",
                            .to = Address::phone(customer),
                            .first_tried_ms = 1'800'000'000'000};

struct TwilioSms : testing::Test {
    ChannelUnderTest channel{"twilio_sms", config};

    Form sent_form() { return Form::parse(channel.last_provider_request().body); }
};

// ---- sending ----

TEST_F(TwilioSms, SendsAFormToTheAccountsMessages) {
    channel.provider_answers(201, R"({"sid":"SM1","status":"queued"})");
    const SendResult result = channel.send(hello);
    EXPECT_EQ(result.outcome, Outcome::accepted);
    EXPECT_EQ(result.provider_id, "SM1");

    const ProviderRequest request = channel.last_provider_request();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url,
              "https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages.json");
    EXPECT_EQ(request.headers.at("content-type"), "application/x-www-form-urlencoded");
    EXPECT_EQ(request.headers.at("authorization"), "Basic " + to_base64(account + ":a-token"));
    EXPECT_EQ(sent_form().require("To"), customer);
    EXPECT_EQ(sent_form().require("From"), number);
    EXPECT_EQ(sent_form().require("Body"), "hello & +1");
    EXPECT_TRUE(sent_form().require("StatusCallback").ends_with("/status?message=" + hello.id));
}

TEST_F(TwilioSms, SendsFromTheNumberThatTheCustomerWroteTo) {
    OutboundMessage message = hello;
    message.from = Address::phone("+14155552672");
    channel.provider_answers(201, R"({"sid":"SM1"})");
    channel.send(message);
    EXPECT_EQ(sent_form().require("From"), "+14155552672");
}

TEST_F(TwilioSms, SendsMediaByTheirUrls) {
    OutboundMessage message = hello;
    message.media = {{.url = "https://a.example/1.jpg?x=1&y=2"},
                     {.url = "https://a.example/2.jpg"}};
    channel.provider_answers(201, R"({"sid":"MM1"})");
    channel.send(message);
    EXPECT_THAT(sent_form().values("MediaUrl"),
                ElementsAre("https://a.example/1.jpg?x=1&y=2", "https://a.example/2.jpg"));
}

TEST(TwilioSmsSend, LetsAMessagingServiceChooseUnlessAskedForANumber) {
    Labels with_service = config;
    with_service["messaging_service_sid"] = "MG1";
    ChannelUnderTest channel{"twilio_sms", with_service};
    channel.provider_answers(201, R"({"sid":"SM1"})");
    channel.send(hello);
    const Form form = Form::parse(channel.last_provider_request().body);
    EXPECT_EQ(form.find("MessagingServiceSid"), "MG1");
    EXPECT_EQ(form.find("From"), std::nullopt);
}

TEST(TwilioSmsSend, RefusesWithoutASender) {
    ChannelUnderTest channel{"twilio_sms", {{"account_sid", account}, {"auth_token", "t"}}};
    EXPECT_EQ(channel.send(hello).outcome, Outcome::refused);
    EXPECT_TRUE(channel.provider_requests().empty());
}

struct SendCase {
    const char* name;
    int status;
    const char* answer;
    Outcome expected;
};

const SendCase send_cases[] = {
    {"accepted", 201, R"({"sid":"SM1"})", Outcome::accepted},
    {"rate limited", 429, R"({"code":20429,"message":"x"})", Outcome::retry_later},
    {"opted out", 400, R"({"code":21610,"message":"x"})", Outcome::opted_out},
    {"no such number", 400, R"({"code":21211,"message":"x"})", Outcome::refused},
    {"Twilio fails half-way", 500, "", Outcome::unknown},
    {"F21 half an answer", 201, R"({"sid":)", Outcome::unknown},
};

TEST_F(TwilioSms, TurnsEachAnswerIntoAnOutcomeS4_22) {
    for (const auto& [name, status, answer, expected] : send_cases) {
        SCOPED_TRACE(name);
        channel.provider_answers(status, answer);
        EXPECT_EQ(channel.send(hello).outcome, expected);
    }
}

TEST_F(TwilioSms, WaitsAsLongAsTwilioAsks) {
    channel.provider_answers(429, R"({"code":20429,"message":"x"})", {{"Retry-After", "3"}});
    EXPECT_EQ(channel.send(hello).retry_after, milliseconds{3000});
}

TEST_F(TwilioSms, StopsForBadCredentials) {
    channel.provider_answers(401, R"({"code":20003,"message":"Authenticate"})");
    try {
        channel.send(hello);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::unauthorized);
        EXPECT_EQ(error.code, "20003");
    }
}

TEST_F(TwilioSms, TellsWhetherTheRequestHadLeft) {
    channel.provider_hangs_up();
    try {
        channel.send(hello);
        FAIL();
    } catch (const ConnectionFailed& error) {
        EXPECT_TRUE(error.request_left);
    }
    channel.provider_is_gone();
    try {
        channel.send(hello);
        FAIL();
    } catch (const ConnectionFailed& error) {
        EXPECT_FALSE(error.request_left);
    }
}

// ---- looking up ----

std::string entry(const std::string& sid, const std::string& body = "hello & +1",
                  const std::string& status = "delivered") {
    return R"({"sid":")" + sid + R"(","direction":"outbound-api","from":")" + number +
           R"(","to":")" + customer + R"(","body":")" + body + R"(","status":")" + status +
           R"(","num_media":"0","error_code":null,"date_created":"Fri, 15 Jan 2027 08:00:01 +0000"})";
}

std::string page(const std::string& entries, const std::string& next = "null") {
    return R"({"messages":[)" + entries + R"(],"next_page_uri":)" + next + "}";
}

struct TwilioSmsLookUp : TwilioSms {
    std::vector<messaging::MessageInfo> others;

    TwilioSmsLookUp() {
        channel.host_answers(method::conversation, [](std::string_view) {
            return wire::pack(std::optional<messaging::ConversationInfo>{
                {.id = "conversation-1", .contact = "contact-1"}});
        });
        channel.host_answers(method::list_conversations, [](std::string_view) {
            return wire::pack(std::vector<messaging::ConversationInfo>{{.id = "conversation-1"},
                                                                       {.id = "conversation-0"}});
        });
        channel.host_answers(method::list_messages, [this](std::string_view in) {
            messaging::MessageQuery query;
            wire::unpack(in, wire::Text::trusted, query);
            std::vector<messaging::MessageInfo> found;
            for (const auto& message : others) {
                if (message.conversation == query.conversation) found.push_back(message);
            }
            return wire::pack(found);
        });
    }
};

TEST_F(TwilioSmsLookUp, FindsAMessageWhoseAnswerWasLostF20) {
    channel.provider_answers(200, page(entry("SM2")));
    const auto found = channel.look_up(hello);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->outcome, Outcome::accepted);
    EXPECT_EQ(found->provider_id, "SM2");
    EXPECT_EQ(found->status, DeliveryStatus::delivered);

    const std::string target = channel.last_provider_request().target;
    EXPECT_THAT(target, HasSubstr("To=%2B15558675310"));
    EXPECT_THAT(target, HasSubstr("From=%2B14155552671"));
    EXPECT_THAT(target, HasSubstr("DateSent%3E=2027-01-15"));
}

TEST_F(TwilioSmsLookUp, ProvesAbsenceByAListReadToItsEnd) {
    channel.provider_answers_next(200,
                                  page(entry("SM1", "something else"), R"("/2010-04-01/next")"));
    channel.provider_answers_next(200, page(""));
    EXPECT_EQ(channel.look_up(hello), std::nullopt);
    EXPECT_EQ(channel.provider_requests().size(), 2u);
    EXPECT_EQ(channel.last_provider_request().target, "/2010-04-01/next");
}

TEST_F(TwilioSmsLookUp, LeavesWhatBelongsToOtherMessages) {
    others = {{.id = "other",
               .conversation = "conversation-0",
               .direction = "out",
               .provider_id = "SM2",
               .created_ms = hello.first_tried_ms}};
    channel.provider_answers(200, page(entry("SM2")));
    EXPECT_EQ(channel.look_up(hello), std::nullopt);
    channel.provider_answers(200, page(entry("SM2") + "," + entry("SM3")));
    EXPECT_EQ(channel.look_up(hello)->provider_id, "SM3");
}

TEST_F(TwilioSmsLookUp, TakesItsOwnIdForItself) {
    others = {{.id = hello.id,
               .conversation = "conversation-1",
               .direction = "out",
               .provider_id = "SM2",
               .created_ms = hello.first_tried_ms}};
    channel.provider_answers(200, page(entry("SM2")));
    EXPECT_EQ(channel.look_up(hello)->provider_id, "SM2");
}

TEST_F(TwilioSmsLookUp, CannotTellWhenAPageIsMissing) {
    const auto throws = [&] { EXPECT_THROW(channel.look_up(hello), Error); };
    channel.provider_answers(500, "");
    throws();
    channel.provider_answers(200, R"({"messages":[)");
    throws();
    channel.provider_answers(200, "{}");
    throws();
    channel.provider_answers_next(200, page("", R"("https://elsewhere.example/next")"));
    throws();
    channel.provider_hangs_up();
    throws();
}

// ---- the gap after an outage ----

TEST_F(TwilioSms, ListsWhatCameMeanwhileOldestFirst) {
    const auto inbound = [](const char* sid, const char* at, const char* media) {
        return std::string{R"({"sid":")"} + sid +
               R"(","direction":"inbound","from":"+15558675310",)" +
               R"("to":"+14155552671","body":"hi","num_media":")" + media +
               R"(","date_sent":"Fri, 15 Jan 2027 )" + at + R"( +0000"})";
    };
    channel.provider_answers(200, page(""));
    channel.provider_answers_to("/MM2/Media.json", 200,
                                R"({"media_list":[{"sid":"ME1","content_type":"image/png"}]})");
    channel.provider_answers_to(
        "To=%2B14155552671", 200,
        page(inbound("MM2", "07:59:00", "1") + "," + inbound("SM1", "07:58:00", "0") + "," +
             inbound("SM0", "07:00:00", "0") + "," + entry("SM9")));
    const auto events = channel.list_since(1'800'000'000'000 - 5 * 60'000);
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].dedupe_key, "message:SM1");
    EXPECT_EQ(events[1].dedupe_key, "message:MM2");
    EXPECT_EQ(events[1].kind, "image");
    ASSERT_EQ(events[1].media.size(), 1u);
    EXPECT_EQ(events[1].media[0].url,
              "https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages/MM2/Media/ME1");
}

// ---- webhooks ----

TEST_F(TwilioSms, NamesItsRoutesAndTheirSecretsS4_24S4_30) {
    const auto routes = channel.routes();
    ASSERT_EQ(routes.size(), 2u);
    EXPECT_EQ(routes[0].name, "message");
    EXPECT_EQ(routes[1].name, "status");
    for (const Route& route : routes) {
        EXPECT_EQ(route.signature, Signature::twilio_sha1);
        EXPECT_EQ(route.secret, "auth_token");
        EXPECT_EQ(route.previous_secret, "auth_token_previous");
        EXPECT_EQ(route.answer.status, 200);
        EXPECT_EQ(route.answer.header("content-type"), "text/xml");
        EXPECT_EQ(route.answer.body, R"(<?xml version="1.0" encoding="UTF-8"?><Response/>)");
    }
}

TEST_F(TwilioSms, ReadsMessagesAndStatusOnEitherRouteS4_03) {
    for (const char* route : {"message", "status"}) {
        SCOPED_TRACE(route);
        const auto message = channel.receive(
            route, "MessageSid=SM1&From=%2B15558675310&Body=hi&AccountSid=" + account);
        ASSERT_EQ(message.size(), 1u);
        EXPECT_EQ(message[0].topic, "message.received");
        const auto status = channel.receive({.route = route,
                                             .body = "MessageSid=SM1&MessageStatus=delivered",
                                             .query = {{"message", hello.id}}});
        ASSERT_EQ(status.size(), 1u);
        EXPECT_EQ(status[0].topic, "delivery.changed");
        EXPECT_EQ(status[0].our_message_id, hello.id);
    }
}

TEST_F(TwilioSms, IgnoresAnotherAccountS49) {
    try {
        channel.receive("message", "MessageSid=SM1&From=%2B1555&AccountSid=ACother");
        FAIL();
    } catch (const RequestError& error) {
        EXPECT_STREQ(error.what(), "unknown_account");
    }
}

}  // namespace
}  // namespace patchbay::twilio_sms
