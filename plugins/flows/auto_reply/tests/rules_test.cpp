#include "../src/rules.hpp"

#include <gtest/gtest.h>

#include "../src/reply.hpp"

namespace patchbay::auto_reply {
namespace {

struct MatchCase {
    const char* name;
    Match how;
    const char* pattern;
    const char* text;
    bool expected;
};

const MatchCase match_cases[] = {
    {"a word in a sentence", Match::contains, "price", "what is the price?", true},
    {"another case", Match::contains, "PRICE", "what is the Price?", true},
    {"another case beyond ASCII", Match::contains, "größe", "Welche GRÖSSE? GRÖßE!", true},
    {"not in it", Match::contains, "price", "hello", false},
    {"an empty text", Match::contains, "price", "", false},
    {"the whole text", Match::equals, "hi", " Hi\n", true},
    {"more than the text", Match::equals, "hi", "hi there", false},
    {"an expression anywhere", Match::matches, "order +[0-9]{4}", "my order  1234 is late", true},
    {"an expression minds case", Match::matches, "order", "ORDER", false},
    {"unless it says otherwise", Match::matches, "(?i)order", "ORDER", true},
    {"an anchored expression", Match::matches, "^yes$", "yes please", false},
};

TEST(AutoReplyRule, MatchesAsItsKindSays) {
    for (const auto& [name, how, pattern, text, expected] : match_cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(Rule(how, pattern, Reply{"ok"}).matches(text), expected);
    }
}

TEST(AutoReplyRule, StaysQuickOnAnExpressionThatBacktrackingWouldNotFinish) {
    const Rule rule{Match::matches, "(a+)+$", Reply{"ok"}};
    EXPECT_FALSE(rule.matches(std::string(20'000, 'a') + "b"));
}

TEST(AutoReplyRule, RefusesWhatCannotMatch) {
    EXPECT_THROW(Rule(Match::contains, "", Reply{}), std::invalid_argument);
    EXPECT_THROW(Rule(Match::equals, "  ", Reply{}), std::invalid_argument);
    EXPECT_THROW(Rule(Match::matches, "(", Reply{}), std::invalid_argument);
}

TEST(AutoReplyRules, TakeTheFirstThatMatches) {
    const std::vector<Rule> rules{{Match::contains, "room", Reply{"first"}},
                                  {Match::contains, "room key", Reply{"second"}}};
    EXPECT_EQ(find_reply(rules, {}, "my room key")->fill({}), "first");
}

TEST(AutoReplyRules, FallBackToOtherwiseOrSayNothing) {
    const std::vector<Rule> rules{{Match::contains, "room", Reply{"first"}}};
    EXPECT_EQ(find_reply(rules, Reply{"pardon?"}, "hello")->fill({}), "pardon?");
    EXPECT_EQ(find_reply(rules, {}, "hello"), nullptr);
}

TEST(AutoReplyText, FillsItsPlaces) {
    const Reply reply{"Hi {{name}}, you wrote \"{{ text }}\" from {{ from }}."};
    EXPECT_EQ(reply.fill({{"name", "Zoë"}, {"text", "hello"}, {"from", "+15558675310"}}),
              "Hi Zoë, you wrote \"hello\" from +15558675310.");
}

TEST(AutoReplyText, LeavesSingleBracesAndUnknownValuesAlone) {
    EXPECT_EQ(Reply{"{a} } {"}.fill({}), "{a} } {");
    EXPECT_EQ(Reply{"Hi {{name}}!"}.fill({}), "Hi !");
    EXPECT_EQ(Reply{""}.fill({}), "");
}

TEST(AutoReplyText, NeverReadsPlacesInWhatACustomerWrote) {
    EXPECT_EQ(Reply{"You wrote {{text}}"}.fill({{"text", "{{from}}"}, {"from", "secret"}}),
              "You wrote {{from}}");
}

TEST(AutoReplyText, RefusesNamesItDoesNotKnow) {
    EXPECT_THROW(Reply{"{{ nmae }}"}, BadReply);
    EXPECT_THROW(Reply{"{{}}"}, BadReply);
    EXPECT_THROW(Reply{"{{ name"}, BadReply);
}

}  // namespace
}  // namespace patchbay::auto_reply
