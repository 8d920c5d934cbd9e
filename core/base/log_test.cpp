#include "base/log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.hpp"
#include "base/time_text.hpp"

namespace patchbay {
namespace {

struct RedactCase {
    const char* name;
    std::string text, expected;
};

const RedactCase redact_cases[] = {
    {"phone number", "to +4915112345678 now", "to +49*****5678 now"},
    {"WhatsApp address", "whatsapp:+27123456789", "whatsapp:+27*****6789"},
    {"phone number in a form", "To=%2B15558675310&Body=x", "To=%2B15*****5310&Body=x"},
    {"phone number in groups", "call +1 555-867-5310.", "call +15*****5310."},
    {"short number", "+1234567", "+1234567"},
    {"time zone", "10:00+02:00", "10:00+02:00"},
    {"bearer token", "Authorization: Bearer abcdefgh12345", "Authorization: Bearer ***"},
    {"bearer in a sentence", "missing bearer token", "missing bearer token"},
    {"basic credentials", "Basic QUMwMDp0b2tlbg==", "Basic ***"},
    {"JWT alone", "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "got ***"},
    {"token in a query", "/ws/staff/?token=abc&x=1", "/ws/staff/?token=***&x=1"},
    {"Twilio signature header",
     "X-Twilio-Signature: RSOYDt4T1cUTdK1PDd93/VVr8B8=", "X-Twilio-Signature: ***"},
    {"Twilio signature alone", "computed RSOYDt4T1cUTdK1PDd93/VVr8B8= here", "computed *** here"},
    {"Meta signature",
     "x-hub-signature-256: sha256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "x-hub-signature-256: ***"},
    {"secret in JSON", R"({"password":"0123456789abcdefg"})", R"({"password":"***"})"},
    {"prose after a colon", "auth_token: expected text", "auth_token: expected text"},
    {"UUID", "id=0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f", "id=0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f"},
    {"number as a provider echoes it", "recipient 27123456789 is not allowed",
     "recipient 27*****6789 is not allowed"},
    {"number in JSON", R"({"to":"27123456789"})", R"({"to":"27*****6789"})"},
    {"ids", "job 9007199254740993001, 1234567890-7, AC1234567890, 12345",
     "job 9007199254740993001, 1234567890-7, AC1234567890, 12345"},
    {"cookies", "Cookie: __Host-pb=abc; theme=dark\r\nAccept: */*", "Cookie: ***\r\nAccept: */*"},
    {"set cookie", "set-cookie: __Host-pb=abc; Path=/", "set-cookie: ***"},
    {"any authorization", R"({"Authorization": "Digest x=1"})", R"({"Authorization": "***"})"},
    {"short secret in JSON", R"({"password": "hi", "n": 1})", R"({"password": "***", "n": 1})"},
    {"API key", "key pb_live_0123456789abcdef given", "key pb_live_*** given"},
    {"ticket alone", "used wst_0123456789 twice", "used wst_*** twice"},
    {"webhook secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***"},
    {"nothing to hide", "message accepted", "message accepted"},
};

class LogFile : public testing::Test {
protected:
    LogFile()
        : file_(std::filesystem::temp_directory_path() /
                ("patchbay_log_test_" + std::to_string(getpid()))) {}
    ~LogFile() override {
        start_logging({});
        std::filesystem::remove(file_);
    }
    void start(const std::string& format, const std::string& level = "info") {
        start_logging({.level = level, .format = format, .file = file_.string()});
    }
    std::string text() const {
        std::ifstream in(file_);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::filesystem::path file_;
};

}  // namespace

TEST(Redact, HidesNumbersTokensAndSignaturesS82) {
    for (const auto& [name, text, expected] : redact_cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(redact(text), expected);
    }
}

TEST(Redact, HidesRegisteredSecretsInAnyFormS82) {
    register_secret("hunter2/with+odd");
    register_secret("tiny");  // Too short: it would hide ordinary words.
    EXPECT_EQ(redact("a hunter2/with+odd b hunter2%2Fwith%2Bodd tiny"), "a *** b *** tiny");
}

TEST_F(LogFile, WritesOneLineForEachCall) {
    start("text");
    log_info("store", "migration applied", {{"version", "1"}, {"name", "core tables"}});
    log_debug("store", "not shown");
    const std::string line = text();
    EXPECT_EQ(line.substr(23), "Z info  store: migration applied version=1 name=\"core tables\"\n");
}

TEST_F(LogFile, CannotBeForgedByAValueS83) {
    start("text");
    log_warn("http", "odd path", {{"path", "/a\n2026 error fake: line\x1b[31m"}});
    const std::string line = text();
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_NE(line.find("\\n2026"), std::string::npos) << line;
}

TEST_F(LogFile, HidesSecretsByFieldNameAndPatternS82) {
    start("text");
    log_info("sms", "sent to +4915112345678",
             {{"token", "abc"}, {"wa_id", "4915112345678"}, {"path", "/?token=abc"}});
    const std::string line = text();
    EXPECT_NE(line.find("sent to +49*****5678 token=*** wa_id=49*****5678"), std::string::npos)
        << line;
    EXPECT_EQ(line.find("abc"), std::string::npos) << line;
}

TEST_F(LogFile, WritesJsonThatCanBeRead) {
    start("json", "debug");
    log_debug("flows", "step \"done\"", {{"step", "start\xFF"}});
    const JsonObject line = parse_json_object(text());
    EXPECT_EQ(text_at(line, "level"), "debug");
    EXPECT_EQ(text_at(line, "component"), "flows");
    EXPECT_EQ(text_at(line, "msg"), "step \"done\"");
    EXPECT_EQ(text_at(line, "fields.step"), "start\xEF\xBF\xBD");
}

TEST_F(LogFile, WritesJsonWithTheSameKeysInEveryLineS83) {
    start("json");
    log_info("store", "plain");
    {
        const LogScope scope("req-1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        log_info("http", "odd\nline \xC2\x9B\x7f", {{"path", "a\r\nb"}, {"path", "twice"}});
    }
    std::istringstream lines(text());
    std::string first, second, third;
    std::getline(lines, first);
    std::getline(lines, second);
    EXPECT_FALSE(std::getline(lines, third));
    EXPECT_EQ(first.substr(31),
              "\",\"level\":\"info\",\"component\":\"store\",\"msg\":\"plain\","
              "\"fields\":{},\"request_id\":\"\",\"trace_id\":\"\"}");
    EXPECT_EQ(second.find_first_of("\x7f\xC2\r"), std::string::npos) << second;
    const JsonObject line = parse_json_object(second);
    EXPECT_TRUE(parse_rfc3339(text_at(line, "ts").value_or("")));
    EXPECT_EQ(text_at(line, "msg"), "odd\nline \xC2\x9B\x7f");
    EXPECT_EQ(text_at(line, "fields.path"), "a\r\nb");
    EXPECT_EQ(text_at(line, "request_id"), "req-1");
    EXPECT_EQ(text_at(line, "trace_id"), "0af7651916cd43dd8448eb211c80319c");
}

TEST_F(LogFile, PutsTheIdsOfTheInnermostScopeBehindALine) {
    start("text");
    {
        const LogScope outer("req-1", "");
        const LogScope inner("call +4915112345678", "no trace");
        log_info("http", "in");
    }
    log_info("http", "out");
    EXPECT_NE(text().find("http: in request_id=\"call +49*****5678\"\n"), std::string::npos)
        << text();
    EXPECT_NE(text().find("http: out\n"), std::string::npos);
}

TEST_F(LogFile, ShowsNoControlByteOfAnyKindS83) {
    start("text");
    log_info("http", "a\x9b b\xC2\x9b c\x7f d\xC3\xA9", {{"k\n", "v\x1b"}});
    EXPECT_NE(text().find("a\\x9b b\\x9b c\\x7f d\xC3\xA9 k\\n=v\\x1b"), std::string::npos)
        << text();
}

TEST(Log, RefusesAnUnknownLevel) {
    EXPECT_THROW(start_logging({.level = "loud"}), std::invalid_argument);
}

}  // namespace patchbay
