#include <gtest/gtest.h>

#include <patchbay/testing.hpp>

namespace patchbay {
namespace {

struct NewPlugin : testing::Test {
    ChannelUnderTest plugin{"new_plugin",
                            {{"url", "https://api.example.com/events"}, {"token", "a-token"}}};
    const Event event{.topic = "message.received",
                      .dedupe_key = "message:p1",
                      .text = "hello",
                      .from = Address::phone("+15558675310")};
};

TEST_F(NewPlugin, ListensToMessages) {
    EXPECT_EQ(plugin.topics(), std::vector<std::string>{"message.*"});
}

TEST_F(NewPlugin, TellsWhatHappened) {
    plugin.handle(event);
    const ProviderRequest request = plugin.last_provider_request();
    EXPECT_EQ(request.url, "https://api.example.com/events");
    EXPECT_EQ(request.headers.at("authorization"), "Bearer a-token");
    const Form form = Form::parse(request.body);
    EXPECT_EQ(form.require("topic"), "message.received");
    EXPECT_EQ(form.require("key"), "message:p1");
    EXPECT_EQ(form.require("text"), "hello");
}

TEST_F(NewPlugin, IsAskedAgainWhereTheReceiverFails) {
    plugin.provider_answers(503);
    EXPECT_THROW(plugin.handle(event), Error);
}

}  // namespace
}  // namespace patchbay
