#include "verify.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "json.hpp"
#include "vectors_for_test.hpp"

namespace patchbay::twilio {
namespace {

const Account account{"https://verify.example", "AC1", "SK1", "secret"};
const std::string service = "VA0123456789abcdef0123456789abcdef";

TEST(TwilioVerify, StartsWithAFormS4_10) {
    const Request request = verification_of({.to = "+15558675310",
                                             .channel = "call",
                                             .locale = "en-GB",
                                             .rate_limit = "end_user_ip",
                                             .rate_limit_value = "203.0.113.7"},
                                            account, service);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, "https://verify.example/v2/Services/" + service + "/Verifications");
    EXPECT_EQ(request.header("content-type"), "application/x-www-form-urlencoded");
    EXPECT_EQ(request.header("authorization"), "Basic U0sxOnNlY3JldA==");
    const Form form = Form::parse(request.body);
    EXPECT_EQ(form.require("To"), "+15558675310");
    EXPECT_EQ(form.require("Channel"), "call");
    EXPECT_EQ(form.require("Locale"), "en-GB");
    EXPECT_EQ(form.require("RateLimits"), R"({"end_user_ip":"203.0.113.7"})");
    EXPECT_NE(request.body.find("To=%2B15558675310"), std::string::npos) << "a bare + is a blank";
}

TEST(TwilioVerify, LeavesOutWhatIsNotGiven) {
    const Form form = form_of({.to = "+1", .channel = "sms", .rate_limit = "end_user_ip"});
    EXPECT_EQ(form.all().size(), 2u);
}

TEST(TwilioVerify, ChecksByTheSingularPathS4_10) {
    const Request request = check_of("+15558675310", "123456", account, service);
    EXPECT_EQ(request.url, "https://verify.example/v2/Services/" + service + "/VerificationCheck");
    EXPECT_EQ(request.body, "To=%2B15558675310&Code=123456");
    const Request cancelled = cancellation_of("VE1", account, service);
    EXPECT_TRUE(cancelled.url.ends_with("/Verifications/VE1"));
    EXPECT_EQ(cancelled.body, "Status=canceled");
}

Verdict expected(const std::string& action) {
    static const std::map<std::string, Verdict> verdicts{{"wrong_code", Verdict::pending},
                                                         {"approved", Verdict::approved},
                                                         {"expired", Verdict::gone},
                                                         {"fail", Verdict::undeliverable}};
    return verdicts.at(action);
}

TEST(TwilioVerify, ReadsEverySharedAnswerS4_22) {
    const auto cases = shared_cases("contracts/vectors/provider-errors.json");
    if (cases.empty()) GTEST_SKIP();
    int rows = 0;
    for (const auto& given : cases) {
        if (text_at(*given, "provider") != "twilio-verify") continue;
        SCOPED_TRACE("S4-22 " + text_at(*given, "name"));
        ++rows;
        std::ostringstream body;
        given->getObject("body")->stringify(body);
        Labels headers;
        for (const auto& [name, value] : *given->getObject("headers")) {
            headers[ascii_lower(name)] = value.toString();
        }
        const auto verdict = answer_to_check({given->getValue<int>("status"), body.str(), headers});
        const std::string code = text_at(*given->getObject("body"), "code");
        EXPECT_EQ(verdict.code, code);
        if (code == "60202") {
            EXPECT_EQ(verdict.verdict, Verdict::too_many_checks);
        } else if (code == "60203" || code == "60212") {
            EXPECT_EQ(verdict.verdict, Verdict::throttled);
            EXPECT_EQ(verdict.retry_after.count(), code == "60212" ? 1000 : 0);
        } else {
            EXPECT_EQ(verdict.verdict, expected(text_at(*given->getObject("expect"), "action")));
        }
    }
    EXPECT_EQ(rows, 7);
}

struct AnswerCase {
    const char* name;
    int status;
    const char* body;
    Verdict to_start, to_check;
    bool done = true;
};

TEST(TwilioVerify, GivesEachAnswerOneMeaningS4_18) {
    const AnswerCase cases[] = {
        {"begun", 201, R"({"sid":"VE1","status":"pending"})", Verdict::pending, Verdict::pending},
        {"no sid", 201, R"({"status":"pending"})", Verdict::unavailable, Verdict::pending},
        {"half an answer", 201, R"({"sid":"VE1","sta)", Verdict::unavailable, Verdict::unavailable},
        {"cancelled", 200, R"({"sid":"VE1","status":"canceled"})", Verdict::unavailable,
         Verdict::gone},
        {"emulate's five", 200, R"({"sid":"VE1","status":"max_attempts_reached"})",
         Verdict::unavailable, Verdict::too_many_checks},
        {"landline", 400, R"({"code":60205})", Verdict::undeliverable, Verdict::undeliverable},
        {"no mobile", 400, R"({"code":21614})", Verdict::undeliverable, Verdict::undeliverable},
        {"fraud guard", 403, R"({"code":60410})", Verdict::undeliverable, Verdict::undeliverable},
        {"own limit", 429, R"({"code":60207})", Verdict::throttled, Verdict::throttled},
        {"too fast", 429, R"({"code":20429})", Verdict::unavailable, Verdict::unavailable, false},
        {"down", 503, "<html>", Verdict::unavailable, Verdict::unavailable, false},
        {"broken", 500, "", Verdict::unavailable, Verdict::unavailable},
        {"credentials", 401, R"({"code":20003})", Verdict::misconfigured, Verdict::misconfigured},
        {"channel off", 403, R"({"code":60223})", Verdict::misconfigured, Verdict::misconfigured},
        {"no such", 404, R"({"code":20404})", Verdict::misconfigured, Verdict::gone},
    };
    for (const auto& [name, status, body, to_start, to_check, done] : cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(answer_to_start({status, body, {}}).verdict, to_start);
        EXPECT_EQ(answer_to_check({status, body, {}}).verdict, to_check);
        EXPECT_EQ(answer_to_start({status, body, {}}).done, done);
    }
}

}  // namespace
}  // namespace patchbay::twilio
