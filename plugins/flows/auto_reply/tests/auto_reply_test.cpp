#include <gtest/gtest.h>

#include <patchbay/testing.hpp>

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

struct AutoReply : testing::Test {
    ChannelUnderTest plugin{"auto_reply",
                            {{"rules[]", "2"},
                             {"rules[0].contains", "open"},
                             {"rules[0].reply", "From 9 to 5, {{ name }}."},
                             {"rules[1].equals", "who am i"},
                             {"rules[1].reply", "{{ name }}"}}};

    std::vector<Action> actions_for(const std::string& text, const std::string& name = "Zoë",
                                    const std::string& topic = "message.received") {
        const StepResult result = plugin.run({.step = "reply",
                                              .event = {.topic = topic,
                                                        .text = text,
                                                        .from = Address::phone("+15558675310"),
                                                        .to = Address::phone("+15005550006"),
                                                        .contact_name = name},
                                              .conversation = "conversation-1"});
        EXPECT_EQ(result.next, "");
        return result.actions;
    }
};

TEST_F(AutoReply, HasOneStep) {
    const auto steps = plugin.steps();
    ASSERT_EQ(steps.size(), 1u);
    EXPECT_EQ(steps[0].name, "reply");
}

TEST_F(AutoReply, AnswersTheWriterFromTheNumberWrittenTo) {
    const auto actions = actions_for("When do you OPEN?");
    ASSERT_EQ(actions.size(), 1u);
    EXPECT_EQ(actions[0].kind, "send");
    ASSERT_TRUE(actions[0].message);
    EXPECT_EQ(actions[0].message->text, "From 9 to 5, Zoë.");
    EXPECT_EQ(actions[0].message->to, Address::phone("+15558675310"));
    EXPECT_EQ(actions[0].message->from, Address::phone("+15005550006"));
    EXPECT_EQ(actions[0].message->conversation, "conversation-1");
}

TEST_F(AutoReply, SaysNothingWhereNothingFits) {
    EXPECT_TRUE(actions_for("hello").empty());
    EXPECT_TRUE(actions_for("").empty());
    EXPECT_TRUE(actions_for("open", "Zoë", "delivery.changed").empty());
}

TEST_F(AutoReply, SaysNothingRatherThanAnEmptyText) {
    EXPECT_EQ(actions_for("who am I").size(), 1u);
    EXPECT_TRUE(actions_for("who am I", "").empty());
}

}  // namespace
}  // namespace patchbay::auto_reply
