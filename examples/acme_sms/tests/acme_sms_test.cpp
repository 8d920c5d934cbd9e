#include <gtest/gtest.h>

#include <fstream>
#include <patchbay/testing.hpp>

namespace patchbay::acme_sms {
namespace {

const Labels config{{"api_key", "a-key"}, {"signing_key", "a-secret"}, {"from", "+15005550006"}};

const OutboundMessage hello{.id = "0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f",
                            .text = "hello & +1",
                            .to = Address::phone("+15558675310")};

std::string payload(const std::string& name) {
    std::ifstream file(std::string(PATCHBAY_PLUGIN_FOLDER "/tests/data/") + name);
    EXPECT_TRUE(file) << name;
    return {std::istreambuf_iterator<char>(file), {}};
}

struct AcmeSms : testing::Test {
    ChannelUnderTest channel{"acme_sms", config};
};

TEST_F(AcmeSms, SendsAForm) {
    channel.provider_answers(201, "id=a-1");
    EXPECT_EQ(channel.send(hello).provider_id, "a-1");

    const ProviderRequest request = channel.last_provider_request();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, "https://api.acme.example/v1/messages");
    EXPECT_EQ(request.headers.at("authorization"), "Bearer a-key");
    const Form form = Form::parse(request.body);
    EXPECT_EQ(form.require("to"), "+15558675310");
    EXPECT_EQ(form.require("from"), "+15005550006");
    EXPECT_EQ(form.require("text"), "hello & +1");
    EXPECT_EQ(form.require("reference"), hello.id);
    EXPECT_TRUE(form.require("status_url").ends_with("/status"));
}

struct SendCase {
    const char* name;
    int status;
    const char* answer;
    Outcome expected;
};

const SendCase send_cases[] = {
    {"accepted", 201, "id=a-1", Outcome::accepted},
    {"half an answer", 201, "i%", Outcome::unknown},
    {"too fast", 429, "code=slow&reason=Too+fast", Outcome::retry_later},
    {"busy", 503, "", Outcome::retry_later},
    {"Acme fails half-way", 500, "", Outcome::unknown},
    {"the recipient wrote STOP", 400, "code=stopped", Outcome::opted_out},
    {"no such number", 400, "code=number&reason=No+such+number", Outcome::refused},
};

TEST_F(AcmeSms, TurnsEachAnswerIntoAnOutcome) {
    for (const auto& [name, status, answer, expected] : send_cases) {
        SCOPED_TRACE(name);
        channel.provider_answers(status, answer, {{"Retry-After", "7"}});
        const SendResult result = channel.send(hello);
        EXPECT_EQ(result.outcome, expected);
        if (expected == Outcome::retry_later) {
            EXPECT_EQ(result.retry_after, std::chrono::seconds{7});
        }
    }
}

TEST_F(AcmeSms, TellsALostAnswerFromAnUnsentCall) {
    channel.provider_hangs_up();
    try {
        channel.send(hello);
        FAIL() << "it was sent";
    } catch (const ConnectionFailed& error) {
        EXPECT_TRUE(error.request_left);
    }
    channel.provider_is_gone();
    try {
        channel.send(hello);
        FAIL() << "it was sent";
    } catch (const ConnectionFailed& error) {
        EXPECT_FALSE(error.request_left);
    }
}

TEST_F(AcmeSms, KnowsAcmesSignature) {
    Request request{.route = "message", .body = "id=a-77"};
    EXPECT_FALSE(channel.is_authentic(request));
    // printf 'id=a-77' | openssl dgst -sha256 -hmac a-secret
    request.headers["x-acme-signature"] =
        "9c7368e78efad07f874a63ad68bf9eaa3895db3d4ef0be425bff6ef36da1982f";
    EXPECT_TRUE(channel.is_authentic(request));
    request.body += "&text=other";
    EXPECT_FALSE(channel.is_authentic(request));
}

TEST_F(AcmeSms, MakesAnEventOfAMessage) {
    const auto events = channel.receive("message", payload("message.form"));
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].topic, "message.received");
    EXPECT_EQ(events[0].dedupe_key, "message:a-77");
    EXPECT_EQ(events[0].text, "Is the café open?");
    EXPECT_EQ(events[0].from, Address::phone("+15558675310"));
}

TEST_F(AcmeSms, MakesAnEventOfAFailedDelivery) {
    const auto events = channel.receive("status", payload("failed.form"));
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].topic, "delivery.changed");
    EXPECT_EQ(events[0].status, DeliveryStatus::failed);
    EXPECT_EQ(events[0].our_message_id, hello.id);
    EXPECT_EQ(events[0].code, "gone");
}

TEST_F(AcmeSms, RefusesWhatItDoesNotKnow) {
    EXPECT_THROW(channel.receive("status", "id=a-1&status=eaten"), RequestError);
    EXPECT_THROW(channel.receive("message", "id=a-1"), RequestError);
}

TEST_F(AcmeSms, IsDegradedWhenAcmeIs) {
    EXPECT_EQ(channel.health().state, Health::up);
    channel.provider_answers(502);
    EXPECT_EQ(channel.health().state, Health::degraded);
}

}  // namespace
}  // namespace patchbay::acme_sms
