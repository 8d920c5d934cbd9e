#include "realtime/commands.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

using Kind = Command::Kind;

std::string code_of(const std::string& text) {
    try {
        parse_command(text);
    } catch (const CommandRefused& refused) {
        return refused.code;
    }
    return "";
}

TEST(Commands, AreReadFieldByField) {
    const Command subscribe =
        parse_command(R"({"type":"subscribe","id":"a1","topics":["conversations","presence"]})");
    EXPECT_EQ(subscribe.kind, Kind::subscribe);
    EXPECT_EQ(subscribe.id, "a1");
    EXPECT_EQ(subscribe.topics, (std::vector<std::string>{"conversations", "presence"}));
    const Command resume = parse_command(R"({"type":"resume","since":1038,"topics":[]})");
    EXPECT_EQ(resume.since, 1038);
    EXPECT_EQ(resume.id, std::nullopt);
    const Command by_number =
        parse_command(R"({"type":"typing","conversation_id":31,"is_typing":true})");
    EXPECT_EQ(by_number.conversation, "31");
    EXPECT_TRUE(by_number.is_typing);
    EXPECT_EQ(
        parse_command(R"({"type":"typing","conversation_id":"x","is_typing":false})").conversation,
        "x");
    EXPECT_EQ(parse_command(R"({"type":"auth","token":"t"})").token, "t");
    EXPECT_EQ(parse_command(R"({"type":"ping","id":"p"})").kind, Kind::ping);
}

const struct {
    const char* name;
    const char* text;
    const char* code;
} refused_cases[] = {
    {"no JSON", "hello", "invalid_json"},
    {"no object", "[]", "invalid_json"},
    {"a key twice", R"({"type":"ping","type":"ping"})", "invalid_json"},
    {"no type", R"({"id":"a"})", "missing_field"},
    {"an unknown type", R"({"type":"shout"})", "unknown_command"},
    {"an unknown field", R"({"type":"ping","loud":true})", "unknown_field"},
    {"an id that is a number", R"({"type":"ping","id":1})", "invalid_field"},
    {"no topics", R"({"type":"subscribe"})", "missing_field"},
    {"topics that are a text", R"({"type":"subscribe","topics":"presence"})", "invalid_field"},
    {"a topic that is a number", R"({"type":"subscribe","topics":[1]})", "invalid_field"},
    {"since as a text", R"({"type":"resume","since":"1","topics":[]})", "invalid_field"},
    {"since as a fraction", R"({"type":"resume","since":1.5,"topics":[]})", "invalid_field"},
    {"typing as a text", R"({"type":"typing","conversation_id":1,"is_typing":"yes"})",
     "invalid_field"},
};

TEST(Commands, S67NamesWhatIsWrong) {
    for (const auto& [name, text, code] : refused_cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(code_of(text), code);
    }
    EXPECT_EQ(code_of(R"({"type":"ping","id":")" + std::string(65, 'x') + "\"}"), "invalid_field");
    EXPECT_EQ(code_of(R"({"type":"subscribe","topics":[")" + std::string(65, 'x') + "\"]}"),
              "invalid_field");
}

TEST(Commands, AreAnsweredInTheirShapes) {
    Caller caller;
    caller.id = "0193a0";
    caller.number = 5;
    caller.role = "agent";
    EXPECT_EQ(frames::hello(caller, 1040, "0.1.0"),
              R"({"type":"hello","user":{"id":"0193a0","number":5,"role":"agent"},"seq":1040,)"
              R"("server":"0.1.0"})");
    EXPECT_EQ(frames::subscribed("a1", {"conversations"}, {{"plugins", "forbidden"}}, 1040),
              R"({"type":"subscribed","id":"a1","topics":["conversations"],)"
              R"("refused":[{"topic":"plugins","code":"forbidden"}],"seq":1040})");
    EXPECT_EQ(frames::unsubscribed(std::nullopt, {"presence"}),
              R"({"type":"unsubscribed","topics":["presence"]})");
    EXPECT_EQ(frames::resumed("a3", {}, 1041), R"({"type":"resumed","id":"a3","seq":1041})");
    EXPECT_EQ(frames::resync("a3", "too_old", 2200),
              R"({"type":"resync","id":"a3","reason":"too_old","seq":2200})");
    EXPECT_EQ(frames::pong("p"), R"({"type":"pong","id":"p"})");
    EXPECT_EQ(frames::error({"a1", "unknown_command", "..."}),
              R"({"type":"error","id":"a1","code":"unknown_command","message":"..."})");
    EXPECT_EQ(frames::event(1041, 1040, "conversation:31"),
              R"({"type":"event","seq":1041,"prev":1040,"topic":"conversation:31")");
}

}  // namespace
}  // namespace patchbay
