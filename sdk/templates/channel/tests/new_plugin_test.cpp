#include <gtest/gtest.h>

#include <patchbay/testing.hpp>

namespace patchbay {
namespace {

const Labels config{{"token", "a-token"}, {"inbound_key", "a-key"}, {"from", "+15005550006"}};

const OutboundMessage hello{.id = "m1", .text = "hello", .to = Address::phone("+15558675310")};

struct NewPlugin : testing::Test {
    ChannelUnderTest channel{"new_plugin", config};  // Loads the library as the hub does.
};

TEST_F(NewPlugin, SendsAForm) {
    channel.provider_answers(201, "id=p1");
    EXPECT_EQ(channel.send(hello).provider_id, "p1");

    const ProviderRequest request = channel.last_provider_request();
    EXPECT_EQ(request.url, "https://api.example.com/messages");
    EXPECT_EQ(request.headers.at("authorization"), "Bearer a-token");
    const Form form = Form::parse(request.body);
    EXPECT_EQ(form.require("to"), "+15558675310");
    EXPECT_EQ(form.require("from"), "+15005550006");
    EXPECT_EQ(form.require("text"), "hello");
    EXPECT_EQ(form.require("reference"), "m1");
}

struct SendCase {
    const char* name;
    int status;
    const char* answer;
    Outcome expected;
};

const SendCase send_cases[] = {
    {"accepted", 201, "id=p1", Outcome::accepted},
    {"accepted without an id", 201, "", Outcome::unknown},
    {"too fast", 429, "code=slow&reason=Too+fast", Outcome::retry_later},
    {"busy", 503, "", Outcome::retry_later},
    {"the provider fails half-way", 500, "", Outcome::unknown},
    {"no such number", 400, "code=number&reason=No+such+number", Outcome::refused},
};

TEST_F(NewPlugin, TurnsEachAnswerIntoAnOutcome) {
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

TEST_F(NewPlugin, SaysThatTheProviderDoesNotKnowUs) {
    channel.provider_answers(401);
    try {
        channel.send(hello);
        FAIL() << "it was sent";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::unauthorized);
    }
}

TEST_F(NewPlugin, MakesAnEventOfAMessage) {
    const auto events =
        channel.receive("message", "id=p9&from=%2B15558675310&to=%2B15005550006&text=Good+day");
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].topic, "message.received");
    EXPECT_EQ(events[0].dedupe_key, "message:p9");
    EXPECT_EQ(events[0].text, "Good day");
    EXPECT_EQ(events[0].from, Address::phone("+15558675310"));
}

TEST_F(NewPlugin, RefusesAMessageWithoutSender) {
    EXPECT_THROW(channel.receive("message", "id=p9&text=hello"), RequestError);
}

}  // namespace
}  // namespace patchbay
