#include "base/replaceable_thread.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <string>

namespace patchbay {
namespace {

TEST(ReplaceableThreads, AreReplacedWhenTheyAreLostAndEndWhenTheyComeBack_G16) {
    std::latch inside{1}, comes_back{1}, replaced{1}, may_end{1};
    std::atomic<WorkInHand*> hung{nullptr};
    std::atomic<int> bodies{0}, ended{0};
    std::vector<std::string> done;
    ReplaceableThread thread;
    thread.start("test", [&] {
        if (++bodies == 1) {
            const Abandonable item{[&](Rest& rest) {
                rest.emplace_back([&] { done.emplace_back("the item was answered"); });
            }};
            hung = &work_in_hand();
            inside.count_down();
            comes_back.wait();
            EXPECT_TRUE(this_thread_is_lost());
        } else {
            EXPECT_FALSE(this_thread_is_lost());
            done.emplace_back("the next one goes on");
            replaced.count_down();
            may_end.wait();
        }
        ++ended;
    });
    inside.wait();
    give_up(*hung);
    replaced.wait();
    EXPECT_EQ(done, (std::vector<std::string>{"the item was answered", "the next one goes on"}));
    may_end.count_down();
    thread.join();
    EXPECT_EQ(ended, 1) << "nobody waits for the lost one";
    comes_back.count_down();
}

TEST(ReplaceableThreads, KeepTheRestWhenTheNextOneIsLostToo) {
    std::latch inside{1}, inside_again{1}, comes_back{1}, all_done{1};
    std::atomic<WorkInHand*> hung{nullptr};
    std::atomic<int> bodies{0};
    ReplaceableThread thread;
    thread.start("test", [&] {
        if (++bodies > 1) return all_done.count_down();
        const Abandonable item{[&](Rest& rest) {
            rest.emplace_back([&] {
                hung = &work_in_hand();
                inside_again.count_down();
                comes_back.wait();
            });
            rest.emplace_back([&] { EXPECT_EQ(bodies, 1); });
        }};
        hung = &work_in_hand();
        inside.count_down();
        comes_back.wait();
    });
    inside.wait();
    give_up(*hung);
    inside_again.wait();
    give_up(*hung);
    all_done.wait();
    thread.join();
    comes_back.count_down();
}

TEST(AbandonableWork, IsToldFromTheInsideOutAndOnce) {
    std::string told;
    const Abandonable outer{[&](Rest&) { told += "outer "; }};
    {
        const Abandonable inner{[&](Rest&) { told += "inner "; }};
        give_up(work_in_hand());
        give_up(work_in_hand());
    }
    EXPECT_EQ(told, "inner outer ");
    EXPECT_TRUE(this_thread_is_lost());
}

TEST(AbandonableWork, LeavesTheThreadAsItWas) {
    {
        const Abandonable work{[](Rest&) {}};
        give_up(work_in_hand());
    }
    EXPECT_FALSE(this_thread_is_lost());
    EXPECT_EQ(work_in_hand().innermost, nullptr);
}

}  // namespace
}  // namespace patchbay
