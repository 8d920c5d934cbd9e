#include "rules.hpp"

#include <gtest/gtest.h>

#include <patchbay/sdk.hpp>

namespace patchbay::sandbox {
namespace {

std::string fault_in(const char* json) try {
    parse_rule(json);
    return "";
} catch (const RequestError& error) {
    return error.what();
}

TEST(SandboxRule, ReadsWhatATestWrites) {
    const Rule rule = parse_rule(
        R"({"method":"POST","path":"Messages","times":2,"delay_ms":5,"drop":"after","status":503,)"
        R"("body":"busy","type":"text/html","headers":{"Retry-After":"2"},"ends":"undelivered",)"
        R"("error_code":30003})");
    EXPECT_EQ(rule.method, "POST");
    EXPECT_EQ(rule.times, 2);
    EXPECT_EQ(rule.delay.count(), 5);
    EXPECT_EQ(rule.drop, Drop::after);
    EXPECT_EQ(rule.status, 503);
    EXPECT_EQ(rule.body, "busy");
    EXPECT_EQ(rule.type, "text/html");
    EXPECT_EQ(rule.headers.at("Retry-After"), "2");
    EXPECT_EQ(rule.ends, "undelivered");
    EXPECT_EQ(rule.error_code, "30003");
}

TEST(SandboxRule, NamesTheKeyThatIsWrong) {
    EXPECT_EQ(fault_in(R"({"tmes":2})"), "\"tmes\" is not a key of a rule");
    EXPECT_EQ(fault_in(R"({"times":0})"), "\"times\" must be 1 to 1000000");
    EXPECT_EQ(fault_in(R"({"times":"2"})"), "\"times\" must be a whole number");
    EXPECT_EQ(fault_in(R"({"drop":"now"})"), "\"drop\" must be before, after or half");
    EXPECT_EQ(fault_in(R"({"ends":"vanished"})"),
              "\"ends\" must be queued, sent, delivered, read, undelivered or failed");
    EXPECT_NE(fault_in(R"({"path":"("})"), "");
    EXPECT_NE(fault_in("[]"), "");
    EXPECT_NE(fault_in("nothing"), "");
}

TEST(SandboxRules, AreUsedUp) {
    Rules rules;
    EXPECT_EQ(rules.add(parse_rule(R"({"path":"Messages","times":2,"status":500})")), 1u);
    EXPECT_FALSE(rules.take("POST", "/other"));
    EXPECT_TRUE(rules.take("POST", "/Messages.json"));
    EXPECT_TRUE(rules.take("GET", "/Messages.json"));
    EXPECT_FALSE(rules.take("POST", "/Messages.json"));
}

TEST(SandboxRules, ApplyInTheirOrderAndByMethod) {
    Rules rules;
    rules.add(parse_rule(R"({"method":"GET","status":501})"));
    rules.add(parse_rule(R"({"status":502})"));
    EXPECT_EQ(rules.take("POST", "/a")->status, 502);
    EXPECT_EQ(rules.take("GET", "/a")->status, 501);
    rules.add(parse_rule("{}"));
    rules.clear();
    EXPECT_FALSE(rules.take("GET", "/a"));
}

}  // namespace
}  // namespace patchbay::sandbox
