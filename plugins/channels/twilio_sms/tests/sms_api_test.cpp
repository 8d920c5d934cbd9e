#include "sms_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <patchbay/testing.hpp>
#include <twilio/json.hpp>

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

using testing::ElementsAre;

const std::string customer = "+15558675310", number = "+14155552671";
const std::string message_id = "0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f";

struct SmsEndpoints : testing::Test {
    ChannelUnderTest channel{"twilio_sms",
                             {{"account_sid", "AC0123456789abcdef0123456789abcdef"},
                              {"auth_token", "a-token"},
                              {"default_from", number},
                              {"number_aliases[]", "1"},
                              {"number_aliases[0]", "+14155552672"}}};
    messaging::MessageInfo stored{.id = message_id,
                                  .channel = "under_test",
                                  .direction = "out",
                                  .text = "Your order is ready",
                                  .provider_id = "SM0a1b",
                                  .peer = Address::phone(customer),
                                  .status = DeliveryStatus::accepted,
                                  .created_ms = 1'800'000'000'123,
                                  .own = number,
                                  .updated_ms = 1'800'000'000'456};
    messaging::NewMessage asked;

    SmsEndpoints() {
        channel.host_answers(method::send_message, [this](std::string_view in) {
            Call call;
            wire::unpack(in, wire::Text::trusted, call, asked);
            return wire::pack(stored);
        });
        channel.host_answers(method::message, [this](std::string_view in) {
            std::string id;
            wire::unpack(in, wire::Text::trusted, id);
            return wire::pack(id == stored.id ? std::optional{stored} : std::nullopt);
        });
    }

    Response post(const std::string& body) {
        return channel.answer(
            {.route = "send", .method = "POST", .body = body, .user = "u1", .id = "req-1"});
    }
    Response get(const std::string& id) {
        return channel.answer({.route = "status", .method = "GET", .params = {{"uuid", id}}});
    }
};

const std::string order = R"({"to_phone":"+15558675310","message":"Your order is ready"})";

TEST_F(SmsEndpoints, SendAndWaitForTwilioS4_01S4_30) {
    const Response reply = post(order);
    EXPECT_EQ(reply.status, 201);
    EXPECT_EQ(reply.body,
              R"({"id":")" + message_id +
                  R"(","to_phone":"+15558675310","from_phone":"+14155552671",)"
                  R"("message":"Your order is ready","status":"QUEUED","provider_msg_id":"SM0a1b",)"
                  R"("last_event_time":null,"created_at":"2027-01-15T08:00:00.123Z",)"
                  R"("updated_at":"2027-01-15T08:00:00.456Z","error":null})");
    EXPECT_EQ(asked.channel, "under_test");
    EXPECT_EQ(asked.to, Address::phone(customer));
    EXPECT_EQ(asked.text, "Your order is ready");
    EXPECT_EQ(asked.wait, milliseconds{10'000});
    EXPECT_EQ(asked.author, "u1");
}

TEST_F(SmsEndpoints, SendAnswers202WhileTheJobGoesOn) {
    for (const auto status :
         {DeliveryStatus::queued, DeliveryStatus::sending, DeliveryStatus::unknown}) {
        stored.status = status;
        const Response reply = post(order);
        EXPECT_EQ(reply.status, 202);
        const auto json = twilio::parse_object(reply.body);
        EXPECT_EQ(twilio::text_at(*json, "status"), "QUEUED");
        EXPECT_TRUE(json->isNull("provider_msg_id"));
    }
}

struct RefusalCase {
    const char* provider_code;
    const char* code;
};

TEST_F(SmsEndpoints, SendTellsWhatTwilioRefusedS4_25) {
    const RefusalCase cases[] = {{"21606", "provider_refused"},
                                 {"21610", "recipient_opted_out"},
                                 {"21211", "invalid_phone_number"}};
    for (const auto& [provider_code, code] : cases) {
        SCOPED_TRACE(provider_code);
        stored.status = DeliveryStatus::failed;
        stored.code = provider_code;
        stored.reason = "because";
        const Response reply = post(order);
        EXPECT_EQ(reply.status, 422);
        EXPECT_EQ(reply.header("content-type"), "application/problem+json");
        const auto json = twilio::parse_object(reply.body);
        EXPECT_EQ(twilio::text_at(*json, "code"), code);
        EXPECT_EQ(twilio::text_at(*json, "provider_code"), provider_code);
        EXPECT_EQ(twilio::text_at(*json, "reason"), "because");
        EXPECT_EQ(twilio::text_at(*json, "id"), message_id);
        EXPECT_EQ(twilio::text_at(*json, "instance"), "req-1");
    }
}

struct BadCase {
    const char* body;
    int status;
    const char* code;
    const char* pointer;
};

TEST_F(SmsEndpoints, SendTellsWhatIsWrongWithTheRequestS4_23S4_30) {
    const BadCase cases[] = {
        {"[]", 400, "invalid_json", ""},
        {R"({"message":"x"})", 400, "missing_field", "/to_phone"},
        {R"({"to_phone":null,"message":"x"})", 400, "missing_field", "/to_phone"},
        {R"({"to_phone":"+15558675310"})", 400, "missing_field", "/message"},
        {R"({"to_phone":"+15558675310","message":""})", 400, "invalid_field", "/message"},
        {R"({"to_phone":15558675310,"message":"x"})", 400, "invalid_field", "/to_phone"},
        {R"({"to_phone":"call me","message":"x"})", 400, "invalid_phone_number", "/to_phone"},
        {R"({"to_phone":"+15558675310","message":"x","from_phone":"+1999"})", 422, "unknown_from",
         ""},
    };
    for (const auto& [body, status, code, pointer] : cases) {
        SCOPED_TRACE(body);
        const Response reply = post(body);
        EXPECT_EQ(reply.status, status);
        const auto json = twilio::parse_object(reply.body);
        EXPECT_EQ(twilio::text_at(*json, "code"), code);
        if (*pointer == 0) continue;
        EXPECT_EQ(twilio::text_at(*json->getArray("errors")->getObject(0), "pointer"), pointer);
    }
    EXPECT_EQ(
        post(R"({"to_phone":"+15558675310","message":")" + std::string(1601, 'x') + "\"}").status,
        422);
}

TEST_F(SmsEndpoints, SendTakesPhonesAndNumbersOfTheChannel) {
    EXPECT_EQ(
        post(R"({"to_phone":"0015558675310","message":"x","from_phone":"+14155552672"})").status,
        201);
    EXPECT_EQ(asked.to, Address::phone(customer));
    EXPECT_EQ(asked.from, Address::phone("+14155552672"));
}

TEST_F(SmsEndpoints, SendPassesOnWhatTheHubRefuses) {
    channel.host_answers(method::send_message, [](std::string_view) -> std::string {
        Error error{ErrorKind::refused, "the recipient opted out"};
        error.code = "recipient_opted_out";
        throw error;
    });
    const Response reply = post(order);
    EXPECT_EQ(reply.status, 422);
    EXPECT_EQ(twilio::text_at(*twilio::parse_object(reply.body), "code"), "recipient_opted_out");
}

TEST_F(SmsEndpoints, StatusShowsWhatBecameOfItS4_02S4_30) {
    stored.status = DeliveryStatus::delivered;
    stored.event_ms = 1'800'000'004'001;
    const auto delivered = twilio::parse_object(get(message_id).body);
    EXPECT_EQ(twilio::text_at(*delivered, "status"), "DELIVERED");
    EXPECT_EQ(twilio::text_at(*delivered, "last_event_time"), "2027-01-15T08:00:04.001Z");

    stored.status = DeliveryStatus::failed;
    stored.code = "30006";
    stored.reason = "landline or carrier";
    const auto failed = twilio::parse_object(get(message_id).body);
    EXPECT_EQ(twilio::text_at(*failed, "status"), "FAILED");
    EXPECT_EQ(twilio::text_at(*failed->getObject("error"), "code"), "30006");
    EXPECT_EQ(twilio::text_at(*failed->getObject("error"), "reason"), "landline or carrier");
}

TEST_F(SmsEndpoints, StatusKnowsOnlyWhatThisChannelSent) {
    EXPECT_EQ(get("unknown").status, 404);
    stored.channel = "whatsapp";
    EXPECT_EQ(get(message_id).status, 404);
    stored.channel = "under_test";
    stored.direction = "in";
    EXPECT_EQ(get(message_id).status, 404);
}

TEST_F(SmsEndpoints, AreForStaffExpertsAndKeysWithTheScope) {
    std::vector<std::string> scopes;
    for (const ApiRoute& route : channel.api_routes()) {
        if (!route.scope.starts_with("sms:")) continue;
        scopes.push_back(route.scope);
        EXPECT_THAT(route.callers, ElementsAre("owner", "admin", "agent", "expert"));
    }
    EXPECT_THAT(scopes, ElementsAre("sms:send", "sms:read"));
}

TEST_F(SmsEndpoints, SendOnceForOneIdempotencyKeyG4) {
    channel.answer({.route = "send",
                    .method = "POST",
                    .body = order,
                    .headers = {{"idempotency-key", "first-1"}},
                    .user = "u1"});
    EXPECT_EQ(asked.key, "sms.send:u1:first-1");
}

}  // namespace
}  // namespace patchbay::twilio_sms
