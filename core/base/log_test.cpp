#include "base/log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/json.hpp"

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
    EXPECT_EQ(text_at(line, "text"), "step \"done\"");
    EXPECT_EQ(text_at(line, "step"), "start\xEF\xBF\xBD");
}

TEST(Log, RefusesAnUnknownLevel) {
    EXPECT_THROW(start_logging({.level = "loud"}), std::invalid_argument);
}

}  // namespace patchbay
