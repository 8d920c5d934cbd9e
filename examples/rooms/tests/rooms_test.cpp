#include <gtest/gtest.h>

#include <patchbay/testing.hpp>

namespace patchbay::rooms {
namespace {

class Rooms : public testing::Test {
protected:
    Response ask(const std::string& route, const std::string& body = "") {
        return plugin.answer({.route = route, .body = body});
    }
    int status_of(const std::string& body) {
        try {
            return ask("add", body).status;
        } catch (const Error& error) {
            return std::stoi(error.code);
        }
    }

    ChannelUnderTest plugin{"rooms"};
};

TEST_F(Rooms, ListsWhatWasAdded) {
    EXPECT_EQ(ask("list").body, R"({"rooms":[]})");
    const Response added = ask("add", R"({"name": "Blue", "floor": 2})");
    EXPECT_EQ(added.status, 201);
    EXPECT_EQ(added.body, R"({"id":1,"name":"Blue","floor":2})");
    ask("add", R"({"name": "Green"})");
    EXPECT_EQ(ask("list").body,
              R"({"rooms":[{"id":1,"name":"Blue","floor":2},{"id":2,"name":"Green","floor":0}]})");
}

TEST_F(Rooms, RefusesWhatIsNoRoom) {
    EXPECT_EQ(status_of(R"({"floor": 2})"), 422);
    EXPECT_EQ(status_of(R"({"name": "Sky", "floor": 10})"), 422);
    EXPECT_EQ(status_of(R"([1])"), 422);
    EXPECT_EQ(status_of(R"({"name": "Blue"})"), 201);
    EXPECT_EQ(status_of(R"({"name": "Blue"})"), 409);
}

TEST_F(Rooms, TellsSocketsTheListAndThenEachNewRoom) {
    ask("add", R"({"name": "Blue"})");
    const SocketReply reply = plugin.socket_opened({.socket = "s1", .route = "live"});
    EXPECT_EQ(reply.messages, std::vector{ask("list").body});
    EXPECT_EQ(reply.join, std::vector<std::string>{"rooms"});
    ask("add", R"({"name": "Green"})");
    ASSERT_EQ(plugin.pushed().size(), 2u);
    EXPECT_EQ(plugin.pushed()[1].first, "rooms");
    EXPECT_EQ(plugin.pushed()[1].second, R"({"room":{"id":2,"name":"Green","floor":0}})");
}

}  // namespace
}  // namespace patchbay::rooms
