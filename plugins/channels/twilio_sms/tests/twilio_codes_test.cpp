// Verification by Twilio Verify: the same outcomes, over the loaded plugin.
#include "twilio_codes.hpp"

#include <gmock/gmock.h>

#include "verify_fixture.hpp"

namespace patchbay::twilio_sms {
namespace {

const std::string pending = R"({"sid":"VE1","status":"pending","valid":false})";
const std::string approved = R"({"sid":"VE1","status":"approved","valid":true})";
const std::string not_found = R"({"code":20404,"status":404})";

struct TwilioCodesApi : VerifyEndpoints {
    TwilioCodesApi() : VerifyEndpoints(with_twilio) { twilio_answers(201, pending); }
    void twilio_answers(int status, const std::string& body) {
        channel.provider_answers(status, body);
    }
    size_t asked(const std::string& part) {
        size_t count = 0;
        for (const auto& request : channel.provider_requests())
            count += request.target.find(part) != std::string::npos;
        return count;
    }
};

TEST_F(TwilioCodesApi, StartAsksTwilioForACodeS4_04S4_10) {
    const Reply started =
        start(phone, R"(,"channel":"call","locale":"en-GB","end_user_ip":"203.0.113.7")");
    EXPECT_EQ(started.status, 201);
    EXPECT_EQ(started.response.body,
              R"({"id":")" + started.text("id") +
                  R"(","to_phone":"+15558675310","channel":"call","outcome":"pending",)"
                  R"("valid":false,"expires_at":"2027-01-15T08:10:00.000Z","resend_after":30})");
    const ProviderRequest request = channel.last_provider_request();
    EXPECT_EQ(request.url,
              "https://verify.twilio.com/v2/Services/VA0123456789abcdef0123456789abcdef/"
              "Verifications");
    const Form form = Form::parse(request.body);
    EXPECT_EQ(form.require("To"), phone);
    EXPECT_EQ(form.require("Channel"), "call");
    EXPECT_EQ(form.require("Locale"), "en-GB");
    EXPECT_EQ(form.require("RateLimits"), R"({"end_user_ip":"203.0.113.7"})") << "S70";
}

TEST_F(TwilioCodesApi, CheckAsksTwilioAndApprovesOnceS4_05S4_12) {
    start();
    twilio_answers(200, pending);
    EXPECT_EQ(check("111111").outcome, "wrong") << "Twilio answers 200 to a wrong code";
    twilio_answers(200, approved);
    const Reply right = check("123456");
    EXPECT_EQ(right.response.body,
              R"({"to_phone":"+15558675310","outcome":"approved","valid":true})");
    twilio_answers(404, not_found);
    EXPECT_EQ(check("123456").outcome, "used");
}

TEST_F(TwilioCodesApi, TellWrongUsedAndExpiredApartWhereTwilioSays404S4_16S72) {
    twilio_answers(404, not_found);
    const Reply unknown = check("123456", "+15558675399");
    EXPECT_EQ(unknown.outcome, "wrong");
    EXPECT_EQ(asked("/VerificationCheck"), 1u) << "it takes as long as a wrong code";
    twilio_answers(201, pending);
    start();
    twilio_answers(404, not_found);
    EXPECT_EQ(check("123456").outcome, "expired") << "Twilio no longer has it";
    channel.pass_time(10min);
    EXPECT_EQ(check("123456").outcome, "expired");
}

TEST_F(TwilioCodesApi, FiveTriesAreAllWhateverTwilioCountsS72) {
    twilio_answers(200, pending);
    start();
    for (int tries = 0; tries < 5; ++tries) EXPECT_EQ(check("111111").outcome, "wrong");
    twilio_answers(200, approved);
    EXPECT_EQ(check("123456").code, "too_many_attempts");
    EXPECT_EQ(asked("/VerificationCheck"), 5u);
}

TEST_F(TwilioCodesApi, AStartAfterFiveTriesIsANewOneAtTwilioTooS72) {
    twilio_answers(200, pending);
    const std::string first = start().text("id");
    for (int tries = 0; tries < 5; ++tries) check("111111");
    channel.pass_time(30s);
    channel.provider_answers_next(200, R"({"sid":"VE1","status":"canceled"})");
    channel.provider_answers_next(201, R"({"sid":"VE2","status":"pending"})");
    const Reply second = start();
    EXPECT_EQ(second.status, 201);
    EXPECT_NE(second.text("id"), first);
    EXPECT_EQ(asked("/Verifications/VE1"), 1u);
    EXPECT_EQ(check("111111").outcome, "wrong");
}

TEST_F(TwilioCodesApi, ASecondStartKeepsTheIdWhileTwilioKeepsTheCodeS4_17) {
    const Reply first = start();
    channel.pass_time(1min);
    const Reply second = start();
    EXPECT_EQ(second.text("id"), first.text("id"));
    EXPECT_EQ(second.text("expires_at"), first.text("expires_at"))
        << "the same code lives no longer";
    channel.pass_time(10min);
    twilio_answers(201, R"({"sid":"VE2","status":"pending"})");
    EXPECT_NE(start().text("id"), first.text("id"));
}

struct RefusalCase {
    const char* name;
    int status;
    const char* body;
    int expected;
    const char* code;
};

TEST_F(TwilioCodesApi, EveryRefusalIsOneOfOurOutcomesS4_18S4_22) {
    const RefusalCase cases[] = {
        {"sends used up", 429, R"({"code":60203})", 429, "throttled"},
        {"own limit", 429, R"({"code":60207})", 429, "throttled"},
        {"at the same time", 429, R"({"code":60212})", 429, "throttled"},
        {"checks used up", 429, R"({"code":60202})", 429, "too_many_attempts"},
        {"no such number", 400, R"({"code":60200})", 422, "undeliverable"},
        {"a landline", 400, R"({"code":60205})", 422, "undeliverable"},
        {"fraud guard", 403, R"({"code":60410})", 422, "undeliverable"},
        {"too fast", 429, R"({"code":20429})", 503, "provider_unavailable"},
        {"down", 503, "<html>", 503, "provider_unavailable"},
        {"half an answer", 201, R"({"sid":"VE1","sta)", 503, "provider_unavailable"},
        {"wrong token", 401, R"({"code":20003})", 503, "provider_unavailable"},
        {"no such service", 404, R"({"code":20404})", 503, "provider_unavailable"},
    };
    int last = 10;
    for (const auto& [name, status, body, expected, code] : cases) {
        SCOPED_TRACE(name);
        twilio_answers(status, body);
        const Reply reply = start("+4915112340" + std::to_string(last++) + "0");
        EXPECT_EQ(reply.status, expected);
        EXPECT_EQ(reply.code, code);
        EXPECT_EQ(reply.status != 422, reply.retry_after() > 0);
        if (expected != 503) {
            EXPECT_EQ(reply.outcome, code);
            EXPECT_FALSE(reply.json->getValue<bool>("valid"));
        }
    }
}

TEST_F(TwilioCodesApi, ACheckWithoutAnAnswerIsNoWrongCodeS4_22) {
    start();
    twilio_answers(500, "");
    const Reply lost = check("123456");
    EXPECT_EQ(lost.status, 503);
    EXPECT_EQ(lost.code, "provider_unavailable");
    EXPECT_EQ(lost.text("detail"), "Ask for a new code.");
    twilio_answers(429, R"({"code":20429})");
    for (int tries = 0; tries < 6; ++tries)
        EXPECT_EQ(check("123456").status, 503) << "not done, so not counted";
    twilio_answers(200, approved);
    EXPECT_EQ(check("123456").outcome, "approved");
}

TEST_F(TwilioCodesApi, TellNobodyCodesAndNumbersS82) {
    start();
    twilio_answers(400, R"({"code":60200,"message":"Invalid parameter `To`: +15558675310"})");
    check("735911");
    twilio_answers(403, R"({"code":60223,"message":"channel off for +15558675310"})");
    channel.pass_time(30s);
    start();
    for (const char* part : {"735911", "5558675310", "a-token"}) EXPECT_FALSE(is_told(part));
}

}  // namespace
}  // namespace patchbay::twilio_sms
