#include <gtest/gtest.h>

#include <patchbay/testing.hpp>

namespace patchbay {
namespace {

struct NewPlugin : testing::Test {
    ChannelUnderTest plugin{"new_plugin", {{"key", "a-key"}}};  // Loads it as the hub does.
};

TEST_F(NewPlugin, MakesAnEventOfAReport) {
    const auto events = plugin.receive("report", "id=r1&text=The+door+is+open");
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].topic, "report.received");
    EXPECT_EQ(events[0].dedupe_key, "report:r1");
    EXPECT_EQ(events[0].text, "The door is open");
}

TEST_F(NewPlugin, RefusesAReportWithoutId) {
    EXPECT_THROW(plugin.receive("report", "text=hello"), RequestError);
}

}  // namespace
}  // namespace patchbay
