#include "plugins/services/byte_budget.hpp"

#include <gtest/gtest.h>

#include <future>

namespace patchbay {
namespace {

using namespace std::chrono_literals;

TEST(ByteBudgets, AreOfEachHolderAlone_G19) {
    ByteBudget budget{100};
    const auto one = budget.take("sms", 60, 0ms);
    EXPECT_TRUE(one);
    EXPECT_FALSE(budget.take("sms", 41, 0ms));
    EXPECT_TRUE(budget.take("chat", 100, 0ms)) << "another's calls go on";
    EXPECT_TRUE(budget.take("sms", 40, 0ms));
}

TEST(ByteBudgets, AreFreeAgainWhenTheCallHasEnded_G19) {
    ByteBudget budget{100};
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(budget.take("sms", 100, 0ms));
}

TEST(ByteBudgets, MakeACallWaitForItsRoom_G19) {
    ByteBudget budget{100};
    auto first = budget.take("sms", 100, 0ms);
    auto second =
        std::async(std::launch::async, [&] { return budget.take("sms", 100, 60s).has_value(); });
    EXPECT_EQ(second.wait_for(20ms), std::future_status::timeout);
    first.reset();
    EXPECT_TRUE(second.get());
}

TEST(ByteBudgets, LetACallThatIsLargerThanAllRunAlone_G19) {
    ByteBudget budget{100};
    const auto large = budget.take("sms", 1000, 0ms);
    EXPECT_TRUE(large);
    EXPECT_FALSE(budget.take("sms", 1, 0ms));
}

}  // namespace
}  // namespace patchbay
