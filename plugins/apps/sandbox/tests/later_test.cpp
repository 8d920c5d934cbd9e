#include "later.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>

namespace patchbay::sandbox {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(SandboxLater, RunsTasksInTheOrderOfTheirTimes) {
    Later later{1};
    std::promise<std::string> done;
    std::string order;
    later.run_after(milliseconds{40}, [&] { done.set_value(order + "c"); });
    later.run_after(milliseconds{20}, [&] { order += "b"; });
    later.run_after(milliseconds{0}, [&] { order += "a"; });
    EXPECT_EQ(done.get_future().get(), "abc");
}

TEST(SandboxLater, DropsAtItsEndWhatIsNotDue) {
    std::atomic<bool> ran = false;
    {
        Later later{2};
        later.run_after(hours{1}, [&] { ran = true; });
    }
    EXPECT_FALSE(ran);
}

TEST(SandboxLater, WaitsAtItsEndForWhatRuns) {
    std::promise<void> started, go_on;
    std::atomic<bool> finished = false;
    std::optional<Later> later{1};
    later->run_after(milliseconds{0}, [&] {
        started.set_value();
        go_on.get_future().wait();
        finished = true;
    });
    started.get_future().wait();
    auto end = std::async(std::launch::async, [&] { later.reset(); });
    go_on.set_value();
    end.wait();
    EXPECT_TRUE(finished);
}

TEST(SandboxLater, TakesTasksFromTasks) {
    Later later{1};
    std::promise<void> done;
    later.run_after(milliseconds{0},
                    [&] { later.run_after(milliseconds{0}, [&] { done.set_value(); }); });
    done.get_future().wait();
}

}  // namespace
}  // namespace patchbay::sandbox
