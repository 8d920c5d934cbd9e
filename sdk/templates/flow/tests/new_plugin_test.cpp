#include <gtest/gtest.h>

#include <patchbay/testing.hpp>

namespace patchbay {
namespace {

struct NewPlugin : testing::Test {
    ChannelUnderTest plugin{"new_plugin", {{"word", "hello"}, {"reply", "Good day!"}}};

    std::vector<Action> actions_for(const std::string& text) {
        return plugin
            .run({.step = "reply",
                  .event = {.topic = "message.received",
                            .text = text,
                            .from = Address::phone("+15558675310"),
                            .to = Address::phone("+15005550006")},
                  .conversation = "c1"})
            .actions;
    }
};

TEST_F(NewPlugin, AnswersTheWriter) {
    const auto actions = actions_for("Hello there");
    ASSERT_EQ(actions.size(), 1u);
    EXPECT_EQ(actions[0].kind, "send");
    ASSERT_TRUE(actions[0].message);
    EXPECT_EQ(actions[0].message->text, "Good day!");
    EXPECT_EQ(actions[0].message->to, Address::phone("+15558675310"));
    EXPECT_EQ(actions[0].message->conversation, "c1");
}

TEST_F(NewPlugin, SaysNothingToOthers) { EXPECT_TRUE(actions_for("How much is it?").empty()); }

}  // namespace
}  // namespace patchbay
