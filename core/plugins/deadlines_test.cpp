#include "plugins/deadlines.hpp"

#include <gtest/gtest.h>

#include <patchbay/detail/methods.hpp>

namespace patchbay {
namespace {

using std::chrono::seconds;

// The table of plugin-sdk.md, section 6.
TEST(Deadlines, AreThoseOfTheDesign) {
    EXPECT_EQ(deadline_of(method::send), seconds{30});
    EXPECT_EQ(deadline_of(method::on_task), seconds{30});
    EXPECT_EQ(deadline_of(method::receive), seconds{1});
    EXPECT_EQ(deadline_of(method::is_authentic), seconds{1});
    EXPECT_EQ(deadline_of(method::health), seconds{1});
    EXPECT_EQ(deadline_of(method::handle), seconds{2});
    EXPECT_EQ(deadline_of(method::run), seconds{2});
    EXPECT_EQ(deadline_of(method::drain), seconds{10});
}

// A number that a later SDK may bring.
TEST(Deadlines, ACallThatNobodyKnowsHasTheShortest) { EXPECT_EQ(deadline_of(999), seconds{1}); }

}  // namespace
}  // namespace patchbay
