#include <gtest/gtest.h>

#include <patchbay/testing.hpp>

namespace patchbay {
namespace {

struct NewPlugin : testing::Test {
    ChannelUnderTest plugin{"new_plugin", {{"first", "5"}}};

    std::string body_of(const std::string& route) {
        const Response answer = plugin.answer({.route = route});
        EXPECT_EQ(answer.status, 200);
        return answer.body;
    }
};

TEST_F(NewPlugin, Counts) {
    EXPECT_EQ(body_of("show"), R"({"count":5})");
    EXPECT_EQ(body_of("add"), R"({"count":6})");
    EXPECT_EQ(body_of("add"), R"({"count":7})");
    EXPECT_EQ(body_of("show"), R"({"count":7})");
}

TEST_F(NewPlugin, GoesOnWhereItWas) {
    plugin.store("count", "41");
    EXPECT_EQ(body_of("add"), R"({"count":42})");
}

}  // namespace
}  // namespace patchbay
