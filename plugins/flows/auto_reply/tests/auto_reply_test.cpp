#include <gtest/gtest.h>

#include <patchbay/sdk.hpp>

#include "config.hpp"

namespace patchbay::auto_reply {
namespace {

Labels problems_of(const Labels& values) {
    detail::ConfigState state;
    state.values = &values;
    ConfigReader reader{state};
    read_config(reader);
    return state.problems;
}

TEST(AutoReplyConfig, TakesRulesOfEachKind) {
    EXPECT_EQ(problems_of({{"rules[]", "3"},
                           {"rules[0].contains", "hello"},
                           {"rules[0].reply", "Hi {{ name }}"},
                           {"rules[1].equals", "ping"},
                           {"rules[1].reply", "pong"},
                           {"rules[2].matches", "^[0-9]+$"},
                           {"rules[2].reply", "A number"},
                           {"otherwise", "Pardon?"}}),
              Labels{});
    EXPECT_EQ(problems_of({{"otherwise", "Pardon?"}}), Labels{});
}

TEST(AutoReplyConfig, PointsAtEachMistake) {
    const Labels problems = problems_of({{"rules[]", "5"},
                                         {"rules[0].contains", "a"},
                                         {"rules[0].reply", "{{ nmae }}"},
                                         {"rules[1].matches", "("},
                                         {"rules[1].reply", "b"},
                                         {"rules[2].contains", "a"},
                                         {"rules[2].equals", "b"},
                                         {"rules[2].reply", "c"},
                                         {"rules[3].reply", "c"},
                                         {"rules[4].contains", "c"}});
    ASSERT_EQ(problems.size(), 5u);
    EXPECT_NE(problems.at("rules[0].reply").find("\"nmae\""), std::string::npos);
    EXPECT_NE(problems.at("rules[1].matches").find("not an expression"), std::string::npos);
    EXPECT_EQ(problems.at("rules[2].contains"), "or equals or matches: a rule has exactly one");
    EXPECT_EQ(problems.at("rules[3].contains"), "or equals or matches: a rule has exactly one");
    EXPECT_EQ(problems.at("rules[4].reply"), "is missing");
}

TEST(AutoReplyConfig, NeedsSomethingToSay) { EXPECT_EQ(problems_of({}).count("rules"), 1u); }

}  // namespace
}  // namespace patchbay::auto_reply
