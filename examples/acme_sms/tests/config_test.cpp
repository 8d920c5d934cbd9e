#include "config.hpp"

#include <gtest/gtest.h>

namespace patchbay::acme_sms {
namespace {

const Labels good{{"api_key", "k"}, {"signing_key", "s"}, {"from", "+15005550006"}};

Labels problems_with(const Labels& changes) {
    Labels values = good;
    for (const auto& [key, value] : changes) values[key] = value;
    detail::ConfigState state;
    state.values = &values;
    ConfigReader reader{state};
    read_config(reader);
    return state.problems;
}

TEST(AcmeSmsConfig, TakesTheShortestThatWorks) { EXPECT_EQ(problems_with({}), Labels{}); }

TEST(AcmeSmsConfig, PointsAtEachMistake) {
    const Labels problems = problems_with(
        {{"from", "15005550006"}, {"api_base", "api.acme.example"}, {"timeout", "10"}});
    ASSERT_EQ(problems.size(), 3u);
    EXPECT_EQ(problems.at("from"), "must start with \"+\"");
    EXPECT_EQ(problems.at("api_base"), "must begin with https:// or http://");
    EXPECT_TRUE(problems.contains("timeout"));
}

}  // namespace
}  // namespace patchbay::acme_sms
