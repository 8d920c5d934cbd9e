// S70 and S71: how often verifications may be started, over the loaded plugin.
#include "start_limits.hpp"

#include <gmock/gmock.h>

#include "verify_fixture.hpp"

namespace patchbay::twilio_sms {
namespace {

/// The nth number of a block of a thousand: numbers of one block differ in the last three digits.
std::string number_in(int block, int nth) {
    return "+49151" + std::to_string(10'000 + block) + std::to_string(100 + nth);
}

TEST(CountedAddress, IsAHostOrANetworkOf64Bits) {
    EXPECT_EQ(counted_address("203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(counted_address("2001:db8:1:2:3:4:5:6"), counted_address("2001:db8:1:2::9"));
    EXPECT_NE(counted_address("2001:db8:1:2::1"), counted_address("2001:db8:1:3::1"));
    for (const char* no : {"", "203.0.113", "here", "203.0.113.7 ", "[::1]"})
        EXPECT_EQ(counted_address(no), "");
}

struct StartLimit : VerifyEndpoints {
    // One text for all reasons, and never without a time.
    void expect_throttled(const Reply& reply) {
        EXPECT_EQ(reply.status, 429);
        EXPECT_EQ(reply.outcome, "throttled");
        EXPECT_GT(reply.retry_after(), 0);
        const std::string& body = reply.response.body;
        if (first_body.empty()) first_body = body;
        EXPECT_EQ(body, first_body);
    }
    std::string from(const std::string& address) { return R"(,"end_user_ip":")" + address + "\""; }

    std::string first_body;
};

TEST_F(StartLimit, OfOneNumberIsFiveAnHourAndTenADayS70S4_15) {
    int sent = 0;
    for (int minute = 0; minute < 60; minute += 5) {
        const Reply reply = start();
        if (reply.status == 201)
            ++sent;
        else
            expect_throttled(reply);
        channel.pass_time(5min);
    }
    EXPECT_EQ(sent, 5);
    for (int minute = 0; minute < 120; minute += 5) {
        sent += start().status == 201;
        channel.pass_time(5min);
    }
    EXPECT_EQ(sent, 10);
    channel.pass_time(10h);
    const Reply refused = start();
    expect_throttled(refused);
    EXPECT_GT(refused.retry_after(), 3600);
    channel.pass_time(std::chrono::seconds{refused.retry_after()});
    EXPECT_EQ(start().status, 201) << "Retry-After tells the truth";
}

TEST_F(StartLimit, OfOneAddressIsTenAnHourS70) {
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(start(number_in(i, 0), from("203.0.113.7")).status, 201) << i;
    const Reply eleventh = start(number_in(11, 0), from("203.0.113.7"));
    expect_throttled(eleventh);
    EXPECT_EQ(start(number_in(12, 0), from("203.0.113.8")).status, 201);
    EXPECT_EQ(start(number_in(13, 0)).status, 201) << "an address counts where it is told";
    channel.pass_time(std::chrono::seconds{eleventh.retry_after()});
    EXPECT_EQ(start(number_in(14, 0), from("203.0.113.7")).status, 201);
}

TEST_F(StartLimit, OfOneBlockOfNumbersIsThirtyAnHourS70) {
    for (int i = 0; i < 30; ++i) EXPECT_EQ(start(number_in(1, i)).status, 201) << i;
    expect_throttled(start(number_in(1, 30)));
    EXPECT_EQ(start(number_in(2, 30)).status, 201);
    channel.pass_time(62min);
    EXPECT_EQ(start(number_in(1, 31)).status, 201);
}

TEST_F(StartLimit, CountriesAreClosedUnlessListedS70) {
    for (const char* to : {"+447700900123", "+18765550100", "+881612345678", "+447012345678"})
        expect_throttled(start(to));
    expect_throttled([&] {
        start();
        return start();  // Too soon: the same words.
    }());
    EXPECT_EQ(channel.provider_requests().size(), 1u);
}

struct SmallBudget : VerifyEndpoints {
    SmallBudget() : VerifyEndpoints({{"verify.limits.country_per_day", "3"}}) {}
};

TEST_F(SmallBudget, OfACountryIsForADayS70) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(start(number_in(i, 0)).status, 201);
    EXPECT_EQ(start(number_in(9, 0)).status, 429);
    EXPECT_EQ(start("+15558675310").status, 201) << "another country";
    channel.pass_time(25h);
    EXPECT_EQ(start(number_in(9, 0)).status, 201);
}

struct NoCountries : testing::Test {
    ChannelUnderTest channel{"twilio_sms",
                             {{"account_sid", "AC0123456789abcdef0123456789abcdef"},
                              {"auth_token", "a-token"},
                              {"default_from", own_number}}};
};

TEST_F(NoCountries, NoCodeIsSentAndTheLogSaysWhyS70) {
    const Response reply = channel.answer(
        {.route = "verify_start", .method = "POST", .body = R"({"to_phone":"+15558675310"})"});
    EXPECT_EQ(reply.status, 429);
    bool is_said = false;
    for (const LogLine& line : channel.log())
        is_said |= line.text.find("allowed_countries is empty") != std::string::npos;
    EXPECT_TRUE(is_said);
}

struct Pumping : VerifyEndpoints {
    Pumping()
        : VerifyEndpoints(
              {{"verify.limits.prefix_per_hour", "1000"}, {"verify.pumping.pause", "2h"}}) {}

    /// Fifty starts in one block, of which the first `approved` come back.
    void fifty_starts(int block, int approved) {
        for (int i = 0; i < 50; ++i) {
            const std::string to = number_in(block, i);
            ASSERT_EQ(start(to).status, 201) << i;
            if (i >= approved) continue;
            ASSERT_EQ(check(sent_code(), to).outcome, "approved");
        }
    }
};

TEST_F(Pumping, PausesWhereTooFewCodesComeBackAndTellsTheOperatorS71) {
    fifty_starts(1, 9);
    const Reply refused = start(number_in(1, 60));
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.outcome, "throttled");
    EXPECT_EQ(channel.metrics()["verification_pauses_total"], 1);
    bool is_said = false;
    for (const LogLine& line : channel.log())
        is_said |= line.level == Level::error && line.text.find("paused") != std::string::npos;
    EXPECT_TRUE(is_said);
    EXPECT_EQ(channel.health().state, Health::degraded);
    EXPECT_NE(channel.health().text.find("prefix DE"), std::string::npos);
    channel.pass_time(2h);
    EXPECT_EQ(channel.health().state, Health::up);
    EXPECT_EQ(start(number_in(1, 61)).status, 201);
}

TEST_F(Pumping, LetsAFifthComeBackS71) {
    fifty_starts(2, 10);
    EXPECT_EQ(start(number_in(2, 60)).status, 201);
    EXPECT_EQ(channel.metrics()["verification_pauses_total"], 0);
}

TEST_F(Pumping, OfManyBlocksPausesTheCountryS71) {
    for (int i = 0; i < 50; ++i) ASSERT_EQ(start(number_in(i, 0)).status, 201);
    EXPECT_EQ(start(number_in(70, 0)).status, 429);
    EXPECT_EQ(start("+15558675310").status, 201) << "another country goes on";
}

}  // namespace
}  // namespace patchbay::twilio_sms
