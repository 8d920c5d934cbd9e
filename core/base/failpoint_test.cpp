#include "base/failpoint.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

namespace patchbay {
namespace {

const Failpoint here{"test.here"};
const Failpoint there{"test.there"};

}  // namespace

TEST(FailpointDeathTest, KillsTheProcessAtTheNthPass) {
    EXPECT_EXIT(
        {
            Failpoint::arm("test.here:3");
            here.pass();
            here.pass();
            std::fputs("twice", stderr);
            here.pass();
        },
        testing::ExitedWithCode(137), "twice");
}

TEST(FailpointDeathTest, IsArmedByTheEnvironment) {
    EXPECT_EXIT(
        {
            setenv("PATCHBAY_FAILPOINT", "test.there:1", 1);
            Failpoint::arm_from_environment();
            here.pass();
            there.pass();
        },
        testing::ExitedWithCode(137), "");
}

TEST(Failpoint, DoesNothingUnlessArmed) {
    unsetenv("PATCHBAY_FAILPOINT");
    Failpoint::arm_from_environment();
    here.pass();
    SUCCEED();
}

TEST(Failpoint, RefusesWhatItDoesNotKnow) {
    for (const char* spec : {"nowhere:1", "test.here", "test.here:0", "test.here:-1", "test.here:x",
                             "test.here:1x", ""}) {
        SCOPED_TRACE(spec);
        EXPECT_THROW(Failpoint::arm(spec), std::invalid_argument);
    }
}

TEST(Failpoint, AppearsInTheList) {
    bool found = false;
    for (const Failpoint* point : Failpoint::all()) found = found || point->name() == "test.there";
    EXPECT_TRUE(found);
}

}  // namespace patchbay
