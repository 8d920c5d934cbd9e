#include "twilio_api.hpp"

#include <gtest/gtest.h>

#include <patchbay/form.hpp>
#include <patchbay/text.hpp>
#include <twilio/json.hpp>

namespace patchbay::sandbox {
namespace {

using twilio::parse_object;
using twilio::text_at;

constexpr int64_t now_ms = 1'795'169'730'000;  // 2026-11-20 10:15:30 UTC
const std::string messages = "/2010-04-01/Accounts/AC1/Messages.json";
const std::string number = "+15005550006", customer = "+15558675310";

struct SandboxApi : testing::Test {
    Ledger ledger{1};
    int64_t now = now_ms;
    TwilioApi api{{"AC1", "token", {number}}, ledger, [this] { return now; }};
    std::string taken;

    Response call(const std::string& method, const std::string& url, const Form& form = {},
                  Labels query = {}, const std::string& credentials = "AC1:token") {
        taken.clear();
        return api.answer({.method = method,
                           .url = url,
                           .body = form.encode(),
                           .headers = {{"authorization", "Basic " + to_base64(credentials)},
                                       {"content-type", "application/x-www-form-urlencoded"}},
                           .query = std::move(query)},
                          taken);
    }
    Response post(const Form& form) { return call("POST", messages, form); }
    std::string code_of(const Form& form) {
        const Response reply = post(form);
        EXPECT_EQ(reply.status, 400);
        EXPECT_EQ(taken, "");
        return text_at(*parse_object(reply.body), "code");
    }
};

const Form hello{{"To", customer}, {"From", number}, {"Body", "hello & +1"}};

TEST_F(SandboxApi, TakesAMessageAsTwilioDoes) {
    const Response reply = post(hello);
    EXPECT_EQ(reply.status, 201);
    const auto json = parse_object(reply.body);
    EXPECT_EQ(text_at(*json, "sid"), taken);
    EXPECT_EQ(taken.size(), 34u);
    EXPECT_TRUE(taken.starts_with("SM"));
    EXPECT_EQ(text_at(*json, "status"), "queued");
    EXPECT_EQ(text_at(*json, "to"), customer);
    EXPECT_EQ(text_at(*json, "body"), "hello & +1");
    EXPECT_EQ(text_at(*json, "direction"), "outbound-api");
    EXPECT_EQ(text_at(*json, "date_created"), "Fri, 20 Nov 2026 10:15:30 +0000");
    EXPECT_TRUE(json->isNull("date_sent"));
    EXPECT_TRUE(json->isNull("error_code"));
    EXPECT_EQ(text_at(*json, "num_media"), "0");
}

TEST_F(SandboxApi, LeavesTheSenderToAMessagingService) {
    const auto json =
        parse_object(post({{"To", customer}, {"MessagingServiceSid", "MG1"}, {"Body", "x"}}).body);
    EXPECT_EQ(text_at(*json, "status"), "accepted");
    EXPECT_TRUE(json->isNull("from"));
}

TEST_F(SandboxApi, RefusesWithTwiliosCodes) {
    EXPECT_EQ(code_of({{"From", number}, {"Body", "x"}}), "21604");
    EXPECT_EQ(code_of({{"To", customer}, {"Body", "x"}}), "21603");
    EXPECT_EQ(code_of({{"To", customer}, {"From", number}}), "21602");
    EXPECT_EQ(code_of({{"To", "15558675310"}, {"From", number}, {"Body", "x"}}), "21211");
    EXPECT_EQ(code_of({{"To", customer}, {"From", "+15550000000"}, {"Body", "x"}}), "21606");
    EXPECT_EQ(code_of({{"To", customer}, {"From", number}, {"Body", std::string(1601, 'x')}}),
              "21617");
}

TEST_F(SandboxApi, CountsCharactersNotBytes) {
    std::string text;
    for (int i = 0; i < 1600; ++i) text += "é";
    EXPECT_EQ(post({{"To", customer}, {"From", number}, {"Body", text}}).status, 201);
}

TEST_F(SandboxApi, ReadsFormsStrictly) {
    // An unescaped plus is a space: " 15558675310" is no number.
    EXPECT_EQ(api.answer({.method = "POST",
                          .url = messages,
                          .body = "To=+15558675310&From=%2B15005550006&Body=x",
                          .headers = {{"authorization", "Basic " + to_base64("AC1:token")},
                                      {"content-type", "application/x-www-form-urlencoded"}}},
                         taken)
                  .status,
              400);
    // JSON is not read.
    const Response json =
        api.answer({.method = "POST",
                    .url = messages,
                    .body = R"({"To":"+15558675310"})",
                    .headers = {{"authorization", "Basic " + to_base64("AC1:token")},
                                {"content-type", "application/json"}}},
                   taken);
    EXPECT_EQ(text_at(*parse_object(json.body), "code"), "21604");
}

TEST_F(SandboxApi, ChecksCredentials) {
    for (const char* credentials : {"AC1:wrong", "AC2:token", "", "AC1:token "}) {
        const Response reply = call("POST", messages, hello, {}, credentials);
        EXPECT_EQ(reply.status, 401);
        EXPECT_EQ(text_at(*parse_object(reply.body), "code"), "20003");
    }
    EXPECT_TRUE(ledger.all().empty());
}

TEST_F(SandboxApi, KnowsWhoOptedOut) {
    api.note_consent(customer, number, " stop ");
    EXPECT_EQ(code_of(hello), "21610");
    api.note_consent(customer, number, "START");
    EXPECT_EQ(post(hello).status, 201);
}

TEST_F(SandboxApi, ListsNewestFirstByPages) {
    for (int i = 0; i < 3; ++i) {
        post({{"To", customer}, {"From", number}, {"Body", std::to_string(i)}});
    }
    post({{"To", "+15550000009"}, {"From", number}, {"Body", "other"}});
    const auto first = parse_object(
        call("GET", messages + "?To=..", {}, {{"To", customer}, {"PageSize", "2"}}).body);
    ASSERT_EQ(first->getArray("messages")->size(), 2u);
    EXPECT_EQ(text_at(*first->getArray("messages")->getObject(0), "body"), "2");
    EXPECT_EQ(text_at(*first, "next_page_uri"), messages + "?PageSize=2&To=%2B15558675310&Page=1");
    const auto second = parse_object(
        call("GET", messages, {}, {{"To", customer}, {"PageSize", "2"}, {"Page", "1"}}).body);
    ASSERT_EQ(second->getArray("messages")->size(), 1u);
    EXPECT_TRUE(second->isNull("next_page_uri"));
}

TEST_F(SandboxApi, ListsFromADay) {
    post(hello);
    const auto count_since = [&](const char* day) {
        return parse_object(call("GET", messages, {}, {{"DateSent>", day}}).body)
            ->getArray("messages")
            ->size();
    };
    EXPECT_EQ(count_since("2026-11-20"), 1u);
    EXPECT_EQ(count_since("2026-11-21"), 0u);
}

TEST_F(SandboxApi, ShowsOneMessage) {
    post(hello);
    const std::string sid = taken;
    ledger.set_status(sid, "sent", "", now + 1);
    ledger.set_status(sid, "undelivered", "30003", now + 2);
    ledger.set_status(sid, "sent", "", now + 3);  // Repeated: the end stays.
    const auto json =
        parse_object(call("GET", "/2010-04-01/Accounts/AC1/Messages/" + sid + ".json").body);
    EXPECT_EQ(text_at(*json, "status"), "undelivered");
    EXPECT_EQ(text_at(*json, "error_code"), "30003");
    EXPECT_EQ(call("GET", "/2010-04-01/Accounts/AC1/Messages/SM0.json").status, 404);
    EXPECT_EQ(call("DELETE", messages).status, 405);
    EXPECT_EQ(call("GET", "/2010-04-01/Accounts/AC1/Calls.json").status, 404);
}

TEST(SandboxLedger, GivesOtherIdsAtEachStartUnlessSeeded) {
    EXPECT_EQ(Ledger{7}.new_sid("SM"), Ledger{7}.new_sid("SM"));
    EXPECT_NE(Ledger{0}.new_sid("SM"), Ledger{0}.new_sid("SM"));
}

}  // namespace
}  // namespace patchbay::sandbox
