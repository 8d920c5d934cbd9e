#include "messages.hpp"

#include <gtest/gtest.h>

#include <patchbay/text.hpp>

#include "json.hpp"
#include "vectors_for_test.hpp"

namespace patchbay::twilio {
namespace {

const Account account{"https://api.example.test", "AC1", "SK1", "secret"};

Response answer(int status, std::string body, Labels headers = {}) {
    return {status, std::move(body), std::move(headers)};
}

std::string body_text(const Poco::JSON::Object& given) {
    if (!given.isObject("body")) return text_at(given, "body");
    std::ostringstream text;
    given.getObject("body")->stringify(text);
    return text.str();
}

Labels lower_headers(const Poco::JSON::Object& given) {
    Labels headers;
    for (const auto& [name, value] : *given.getObject("headers")) {
        headers[ascii_lower(name)] = value.toString();
    }
    return headers;
}

// "retry" of the table becomes a look-up where the message may exist (architecture decision 10).
Outcome expected_outcome(const Poco::JSON::Object& given) {
    const int status = given.getValue<int>("status");
    const auto expected = given.getObject("expect");
    if (expected->has("opt_out")) return Outcome::opted_out;
    if (text_at(*expected, "action") == "fail") return Outcome::refused;
    return status == 429 || status == 503 ? Outcome::retry_later : Outcome::unknown;
}

TEST(TwilioSend, TurnsEverySharedAnswerIntoAnOutcome) {
    int rows = 0;
    const auto cases = shared_cases("contracts/vectors/provider-errors.json");
    if (cases.empty()) GTEST_SKIP();
    for (const auto& given : cases) {
        if (text_at(*given, "provider") != "twilio" || text_at(*given, "where") != "answer")
            continue;
        SCOPED_TRACE("S4-22 " + text_at(*given, "name"));
        ++rows;
        const Response reply =
            answer(given->getValue<int>("status"), body_text(*given), lower_headers(*given));
        if (text_at(*given->getObject("expect"), "action") == "stop_account") {
            EXPECT_THROW(outcome_of(reply), Error);
            continue;
        }
        const SendResult result = outcome_of(reply);
        EXPECT_EQ(result.outcome, expected_outcome(*given));
        if (given->isObject("body")) {
            EXPECT_EQ(result.code, text_at(*given->getObject("body"), "code"));
        }
        EXPECT_FALSE(result.reason.empty());
        const bool has_wait = given->getObject("headers")->has("Retry-After");
        EXPECT_EQ(result.retry_after, milliseconds{has_wait ? 3000 : 0});
    }
    EXPECT_EQ(rows, 10);
}

struct SendCase {
    const char* name;
    int status;
    const char* body;
    Outcome expected;
    const char* code;
};

const SendCase send_cases[] = {
    {"accepted", 201, R"({"sid":"SM1","status":"queued"})", Outcome::accepted, ""},
    {"accepted by another 2xx", 200, R"({"sid":"SM1"})", Outcome::accepted, ""},
    {"F21 half an answer", 201, R"({"sid":"SM1","sta)", Outcome::unknown, ""},
    {"F21 no body", 201, "", Outcome::unknown, ""},
    {"F21 another object", 200, R"({"code":20500,"message":"no"})", Outcome::unknown, ""},
    {"F21 not an object", 201, R"(["SM1"])", Outcome::unknown, ""},
    {"failed at once", 201, R"({"sid":"SM1","status":"failed","error_code":30007})",
     Outcome::refused, "30007"},
    {"queue of the sender full", 400, R"({"code":21611,"message":"full"})", Outcome::retry_later,
     "21611"},
    {"not a mobile", 400, R"({"code":21614,"message":"x"})", Outcome::refused, "21614"},
    {"not found", 404, R"({"code":20404,"message":"x"})", Outcome::refused, "20404"},
    {"no JSON", 400, "<html>", Outcome::refused, ""},
    {"Twilio fails half-way", 500, "", Outcome::unknown, ""},
    {"gateway gave up", 504, "timeout", Outcome::unknown, ""},
};

TEST(TwilioSend, TurnsEachAnswerIntoAnOutcome) {
    for (const auto& [name, status, body, expected, code] : send_cases) {
        SCOPED_TRACE(name);
        const SendResult result = outcome_of(answer(status, body));
        EXPECT_EQ(result.outcome, expected);
        EXPECT_EQ(result.code, code);
        EXPECT_EQ(result.provider_id, expected == Outcome::accepted ? "SM1" : "");
    }
}

TEST(TwilioSend, WaitsAMinuteWhenTheQueueOfTheSenderIsFull) {
    const SendResult result = outcome_of(answer(400, R"({"code":21611,"message":"full"})"));
    EXPECT_EQ(result.retry_after, milliseconds{60'000});
}

TEST(TwilioSend, StopsTheAccountForBadCredentials) {
    for (const int status : {401, 403}) {
        try {
            outcome_of(answer(status, R"({"code":20003,"message":"Authenticate"})"));
            FAIL() << status;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::unauthorized);
            EXPECT_EQ(error.code, "20003");
        }
    }
}

TEST(TwilioSend, WritesAFormThatTwilioReadsBack) {
    int rows = 0;
    const auto cases = shared_cases("contracts/vectors/form-encoding.json");
    if (cases.empty()) GTEST_SKIP();
    for (const auto& given : cases) {
        SCOPED_TRACE("S4-23 " + text_at(*given, "name"));
        ++rows;
        const Form form = form_of_pairs(*given->getArray("pairs"));
        EXPECT_EQ(Form::parse(form.encode()).all(), form.all());
        EXPECT_EQ(form.encode(), text_at(*given, "one_correct_body"));
    }
    EXPECT_EQ(rows, 7);
}

TEST(TwilioSend, AsksForAMessage) {
    const Request request = creation_of({.to = "+15558675310",
                                         .from = "+14155552671",
                                         .messaging_service_sid = "MG1",
                                         .text = "a=b & c+d",
                                         .media_urls = {"https://a/1", "https://a/2"},
                                         .status_callback = "https://hub/s?message=1"},
                                        account);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, "https://api.example.test/2010-04-01/Accounts/AC1/Messages.json");
    EXPECT_EQ(request.headers.at("authorization"), "Basic " + to_base64("SK1:secret"));
    EXPECT_EQ(request.headers.at("content-type"), "application/x-www-form-urlencoded");
    EXPECT_EQ(Form::parse(request.body).all(),
              (std::vector<Form::Pair>{{"To", "+15558675310"},
                                       {"From", "+14155552671"},
                                       {"Body", "a=b & c+d"},
                                       {"MediaUrl", "https://a/1"},
                                       {"MediaUrl", "https://a/2"},
                                       {"StatusCallback", "https://hub/s?message=1"}}));
}

TEST(TwilioSend, LetsAMessagingServiceChooseTheSender) {
    const Form form = form_of({.to = "+1", .messaging_service_sid = "MG1", .text = "hi"});
    EXPECT_EQ(form.find("From"), std::nullopt);
    EXPECT_EQ(form.find("MessagingServiceSid"), "MG1");
}

TEST(TwilioSend, NeverTakesCredentialsToAnotherHost) {
    EXPECT_THROW(account.request("GET", "https://evil.example/x"), Error);
    EXPECT_THROW(account.request("GET", "https://api.example.test.evil.example/x"), Error);
    EXPECT_EQ(account.request("GET", "/2010-04-01/x").url, "https://api.example.test/2010-04-01/x");
}

constexpr int64_t tried_ms = 1'795'169'730'000;  // 2026-11-20 10:15:30 UTC

const Draft hello{.to = "+15558675310", .from = "+14155552671", .text = "hello"};

Record copy_of_hello(std::string sid, int64_t created_ms = tried_ms + 500) {
    return {.sid = std::move(sid),
            .direction = "outbound-api",
            .from = hello.from,
            .to = hello.to,
            .body = hello.text,
            .created_ms = created_ms};
}

TEST(TwilioLookUp, FindsTheMessageWhoseAnswerWasLostF20) {
    const std::vector<Record> records{copy_of_hello("SM2")};
    EXPECT_EQ(find_copy(records, hello, tried_ms, {})->sid, "SM2");
}

TEST(TwilioLookUp, TakesTheOldestThatBelongsToNobody) {
    const std::vector<Record> records{copy_of_hello("SM3", tried_ms + 900),
                                      copy_of_hello("SM2", tried_ms + 500),
                                      copy_of_hello("SM1", tried_ms + 100)};
    EXPECT_EQ(find_copy(records, hello, tried_ms, {"SM1"})->sid, "SM2");
    EXPECT_EQ(find_copy(records, hello, tried_ms, {"SM1", "SM2", "SM3"}), nullptr);
}

TEST(TwilioLookUp, TakesNothingThatIsAnotherMessage) {
    Record other_text = copy_of_hello("SM1"), other_to = other_text, other_from = other_text,
           inbound = other_text, with_media = other_text;
    other_text.body = "hello!";
    other_to.to = "+15550000000";
    other_from.from = "+15550000001";
    inbound.direction = "inbound";
    with_media.media = 1;
    const Record earlier = copy_of_hello("SM1", tried_ms - 61'000);
    for (const Record& record : {other_text, other_to, other_from, inbound, with_media, earlier}) {
        EXPECT_EQ(find_copy({record}, hello, tried_ms, {}), nullptr);
    }
}

TEST(TwilioLookUp, AllowsForTwoClocks) {
    EXPECT_NE(find_copy({copy_of_hello("SM1", tried_ms - 59'000)}, hello, tried_ms, {}), nullptr);
    EXPECT_NE(find_copy({copy_of_hello("SM1", 0)}, hello, tried_ms, {}), nullptr);
}

TEST(TwilioGapFill, MakesTheEventThatTheWebhookMakes) {
    const Record record{.sid = "SM1",
                        .direction = "inbound",
                        .from = "+15558675310",
                        .to = "+14155552671",
                        .body = "hi",
                        .created_ms = tried_ms,
                        .sent_ms = tried_ms + 1};
    const Event listed = message_from(record, {}, sms_address);
    const Event posted =
        events_from({.body = "MessageSid=SM1&From=%2B15558675310&To=%2B14155552671&Body=hi"}, "AC1",
                    sms_address)
            .at(0);
    EXPECT_EQ(listed.dedupe_key, posted.dedupe_key);
    EXPECT_EQ(listed.topic, posted.topic);
    EXPECT_EQ(listed.from, posted.from);
    EXPECT_EQ(listed.text, posted.text);
    EXPECT_EQ(listed.at_ms, tried_ms + 1);
}

TEST(TwilioJson, ReadsTimesAsTheyArePrinted) {
    const auto json = parse_object(R"({"a":"Fri, 20 Nov 2026 10:15:30 +0000","b":null,"c":"?"})");
    EXPECT_EQ(time_at(*json, "a"), tried_ms);
    EXPECT_EQ(time_at(*json, "b"), 0);
    EXPECT_EQ(time_at(*json, "c"), 0);
    EXPECT_EQ(time_at(*json, "d"), 0);
}

}  // namespace
}  // namespace patchbay::twilio
