// Verification with codes of our own: the whole life of a code, over the loaded plugin.
#include "local_codes.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "verify_fixture.hpp"

namespace patchbay::twilio_sms {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

struct LocalCodesApi : VerifyEndpoints {};

TEST_F(LocalCodesApi, StartSendsACodeAsAnSmsOfThisChannelS4_04S4_11) {
    const Reply started = start();
    EXPECT_EQ(started.status, 201);
    EXPECT_EQ(started.response.body,
              R"({"id":")" + started.text("id") +
                  R"(","to_phone":"+15558675310","channel":"sms","outcome":"pending",)"
                  R"("valid":false,"expires_at":"2027-01-15T08:10:00.000Z","resend_after":30})");
    const ProviderRequest sms = channel.last_provider_request();
    EXPECT_TRUE(sms.url.ends_with("/Messages.json"));
    const Form form = Form::parse(sms.body);
    EXPECT_EQ(form.require("To"), phone);
    EXPECT_EQ(form.require("From"), own_number);
    EXPECT_THAT(form.require("Body"), MatchesRegex("Your code is [0-9]{6}\\."));
}

TEST_F(LocalCodesApi, CheckApprovesTheRightCodeOnceS4_05S4_13) {
    start();
    const std::string code = sent_code();
    EXPECT_EQ(check(code).response.body,
              R"({"to_phone":"+15558675310","outcome":"approved","valid":true})");
    const Reply again = check(code);
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.outcome, "used");
    EXPECT_FALSE(again.json->getValue<bool>("valid"));
}

TEST_F(LocalCodesApi, AWrongCodeAndAnUnknownNumberLookTheSameS72) {
    start();
    const Reply wrong = check(another(sent_code()));
    const Reply unknown = check("123456", "+15558675399");
    EXPECT_EQ(wrong.status, 200);
    EXPECT_EQ(wrong.response.body,
              R"({"to_phone":"+15558675310","outcome":"wrong","valid":false})");
    EXPECT_EQ(unknown.response.body,
              R"({"to_phone":"+15558675399","outcome":"wrong","valid":false})");
    EXPECT_EQ(wrong.response.headers, unknown.response.headers);
}

TEST_F(LocalCodesApi, FiveTriesAreAllForUnknownNumbersTooS72) {
    start();
    const std::string code = sent_code();
    for (const std::string& to : {phone, std::string{"+15558675399"}}) {
        for (int tries = 0; tries < 5; ++tries)
            EXPECT_EQ(check(another(code), to).outcome, "wrong");
        const Reply sixth = check(code, to);
        EXPECT_EQ(sixth.status, 429) << "not even the right one";
        EXPECT_EQ(sixth.code, "too_many_attempts");
        EXPECT_EQ(sixth.outcome, "too_many_attempts");
        EXPECT_FALSE(sixth.json->getValue<bool>("valid"));
        EXPECT_GT(sixth.retry_after(), 0);
    }
    channel.pass_time(30s);
    EXPECT_EQ(start().status, 201) << "a new start is needed, and helps";
    EXPECT_EQ(check(sent_code()).outcome, "approved");
}

TEST_F(LocalCodesApi, ACodeExpiresS4_14S4_16) {
    start();
    const std::string code = sent_code();
    channel.pass_time(10min - 1ms);
    EXPECT_EQ(check(another(code)).outcome, "wrong");
    channel.pass_time(1ms);
    const Reply late = check(code);
    EXPECT_EQ(late.status, 200);
    EXPECT_EQ(late.outcome, "expired");
}

TEST_F(LocalCodesApi, ASecondStartWaitsAndThenBringsANewCodeUnderTheSameIdS4_17) {
    const Reply first = start();
    const std::string old_code = sent_code();
    channel.pass_time(29s);
    const Reply early = start();
    EXPECT_EQ(early.status, 429);
    EXPECT_EQ(early.outcome, "throttled");
    EXPECT_EQ(early.retry_after(), 1);
    channel.pass_time(1s);
    const Reply second = start();
    EXPECT_EQ(second.status, 201);
    EXPECT_EQ(second.text("id"), first.text("id"));
    const std::string new_code = sent_code();
    if (new_code != old_code) {
        EXPECT_EQ(check(old_code).outcome, "wrong") << "the old one is void";
    }
    EXPECT_EQ(check(new_code).outcome, "approved");
    channel.pass_time(30s);
    EXPECT_NE(start().text("id"), first.text("id")) << "that one is over";
}

TEST_F(LocalCodesApi, OfManyWhoBringTheRightCodeAtOnceOneIsApprovedS4_16) {
    start();
    const std::string code = sent_code();
    std::atomic<int> approved{0}, used{0}, other{0};
    std::vector<std::thread> people;
    for (int i = 0; i < 12; ++i) {
        people.emplace_back([&] {
            const std::string outcome = check(code).outcome;
            ++(outcome == "approved" ? approved : outcome == "used" ? used : other);
        });
    }
    for (std::thread& one : people) one.join();
    EXPECT_EQ(approved.load(), 1);
    EXPECT_EQ(used.load(), 11);
    EXPECT_EQ(other.load(), 0);
}

TEST_F(LocalCodesApi, ManyGuessesAtOnceAreFiveTriesS72) {
    start();
    const std::string wrong_code = another(sent_code());
    std::atomic<int> wrong{0}, refused{0};
    std::vector<std::thread> people;
    for (int i = 0; i < 12; ++i) {
        people.emplace_back([&] { ++(check(wrong_code).outcome == "wrong" ? wrong : refused); });
    }
    for (std::thread& one : people) one.join();
    EXPECT_EQ(wrong.load(), 5);
    EXPECT_EQ(refused.load(), 7);
}

TEST_F(LocalCodesApi, OfManyStartsAtOnceOneSendsACode) {
    std::atomic<int> sent{0};
    std::vector<std::thread> people;
    for (int i = 0; i < 8; ++i) people.emplace_back([&] { sent += start().status == 201; });
    for (std::thread& one : people) one.join();
    EXPECT_EQ(sent.load(), 1);
    EXPECT_EQ(channel.provider_requests().size(), 1u);
}

struct RefusalCase {
    const char* name;
    int status;
    const char* body;
    int expected;
    const char* code;
    bool may_retry_at_once;
};

TEST_F(LocalCodesApi, WhatTwilioSaysToTheSmsBecomesOneOutcomeS4_18S4_22) {
    const RefusalCase cases[] = {
        {"no such number", 400, R"({"code":21211})", 422, "undeliverable", false},
        {"a landline", 400, R"({"code":21614})", 422, "undeliverable", false},
        {"opted out", 400, R"({"code":21610})", 422, "undeliverable", false},
        {"sender not ours", 400, R"({"code":21606})", 503, "provider_unavailable", false},
        {"too fast", 429, R"({"code":20429})", 503, "provider_unavailable", true},
        {"down", 503, "<html>", 503, "provider_unavailable", true},
        {"broken, it may have gone out", 500, "", 503, "provider_unavailable", false},
        {"wrong token", 401, R"({"code":20003})", 503, "provider_unavailable", true},
    };
    int last = 10;
    for (const auto& [name, status, body, expected, code, may_retry_at_once] : cases) {
        SCOPED_TRACE(name);
        const std::string to = "+4915112340" + std::to_string(last++) + "0";
        channel.provider_answers(status, body);
        const Reply reply = start(to);
        EXPECT_EQ(reply.status, expected);
        EXPECT_EQ(reply.code, code);
        EXPECT_EQ(reply.status == 503, reply.retry_after() > 0);
        channel.provider_answers(201, R"({"sid":"SM1","status":"queued"})");
        EXPECT_EQ(start(to).status, may_retry_at_once ? 201 : 429);
    }
}

TEST_F(LocalCodesApi, AProviderThatIsGoneIsNoReasonToWaitS4_18) {
    channel.provider_is_gone();
    const Reply reply = start();
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.text("detail"), "Ask for a new code.");
    EXPECT_FALSE(reply.json->has("outcome"));
}

struct FieldCase {
    const char* route;
    const char* body;
    const char* code;
    const char* pointer;
};

TEST_F(LocalCodesApi, SayWhatIsWrongWithARequestS4_23S4_25) {
    const FieldCase cases[] = {
        {"verify_start", "[]", "invalid_json", ""},
        {"verify_start", "{}", "missing_field", "/to_phone"},
        {"verify_start", R"({"to_phone":15558675310})", "invalid_field", "/to_phone"},
        {"verify_start", R"({"to_phone":"555"})", "invalid_phone_number", "/to_phone"},
        {"verify_start", R"({"to_phone":"+15558675310","channel":"fax"})", "invalid_field",
         "/channel"},
        {"verify_start", R"({"to_phone":"+15558675310","channel":"call"})", "invalid_field",
         "/channel"},
        {"verify_start", R"({"to_phone":"+15558675310","locale":"de;DE"})", "invalid_field",
         "/locale"},
        {"verify_start", R"({"to_phone":"+15558675310","end_user_ip":"here"})", "invalid_field",
         "/end_user_ip"},
        {"verify_check", "", "invalid_json", ""},
        {"verify_check", R"({"to_phone":"+15558675310"})", "missing_field", "/code"},
        {"verify_check", R"({"code":"123456"})", "missing_field", "/to_phone"},
        {"verify_check", R"({"to_phone":"+15558675310","code":123456})", "invalid_field", "/code"},
        {"verify_check", R"({"to_phone":"+15558675310","code":"123"})", "invalid_field", "/code"},
        {"verify_check", R"({"to_phone":"+15558675310","code":"12345678901"})", "invalid_field",
         "/code"},
    };
    for (const auto& [route, body, code, pointer] : cases) {
        SCOPED_TRACE(body);
        const Reply reply = post(route, body);
        EXPECT_EQ(reply.status, 400);
        EXPECT_EQ(reply.code, code);
        EXPECT_EQ(reply.text("instance"), "req-1");
        if (*pointer == 0) continue;
        EXPECT_EQ(twilio::text_at(*reply.json->getArray("errors")->getObject(0), "pointer"),
                  pointer);
    }
    EXPECT_TRUE(channel.provider_requests().empty());
}

TEST_F(LocalCodesApi, TellNobodyCodesAndNumbersS82) {
    start();
    const std::string code = sent_code();
    check(another(code));
    check(code);
    channel.pass_time(30s);
    channel.provider_answers(400, R"({"code":21211,"message":"Invalid 'To': +15558675310"})");
    start();
    start("+4799999999");
    EXPECT_FALSE(is_told(code));
    EXPECT_FALSE(is_told(another(code)));
    for (const char* part : {"5558675310", "8675310", "99999999"}) EXPECT_FALSE(is_told(part));
}

TEST_F(LocalCodesApi, AreForStaffAndKeysWithTheScopeS70) {
    int found = 0;
    for (const ApiRoute& route : channel.api_routes()) {
        if (route.scope != "verify") continue;
        ++found;
        EXPECT_EQ(route.method, "POST");
        EXPECT_THAT(route.callers, ElementsAre("owner", "admin", "agent"));
    }
    EXPECT_EQ(found, 2);
}

struct LocalCodesInGerman : VerifyEndpoints {
    LocalCodesInGerman()
        : VerifyEndpoints({{"verify.texts.de", "Ihr Code: {code}"}, {"verify.code_length", "8"}}) {}
};

TEST_F(LocalCodesInGerman, SpeakTheLanguageOfTheUser) {
    start(phone, R"(,"locale":"de-AT")");
    EXPECT_THAT(Form::parse(channel.last_provider_request().body).require("Body"),
                MatchesRegex("Ihr Code: [0-9]{8}"));
}

TEST_F(LocalCodesApi, CodesAreNotAlike) {
    std::set<std::string> codes;
    for (int i = 0; i < 20; ++i) {
        start("+491511234" + std::to_string(1000 + i * 10));
        codes.insert(sent_code());
    }
    EXPECT_GT(codes.size(), 15u);
}

}  // namespace
}  // namespace patchbay::twilio_sms
