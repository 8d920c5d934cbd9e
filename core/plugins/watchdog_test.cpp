#include "plugins/watchdog.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <patchbay/detail/methods.hpp>
#include <string>

#include "plugins/lost_threads.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class Counted final : public Callee {
public:
    void thread_lost(uint32_t, bool to_blame) noexcept override { ++(to_blame ? lost : waits); }
    void thread_back(uint32_t, bool) noexcept override { ++back; }
    std::atomic<int> lost{0}, waits{0}, back{0};
};

Error error_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorKind::none, "");
}

auto later(std::chrono::milliseconds by) { return std::chrono::steady_clock::now() + by; }

TEST(Watchdogs, GiveUpACallAtItsDeadlineAndNoneBefore_G16) {
    Watchdog dog;
    Counted callee;
    std::latch inside{1}, comes_back{1};
    std::atomic<bool> answered{false}, was_lost{false};
    Error seen{ErrorKind::none, ""};
    std::thread caller{[&] {
        const Abandonable work{[&](Rest& rest) { rest.emplace_back([&] { answered = true; }); }};
        seen = error_of([&] {
            dog.watch(callee, method::send, 1h, [&] {
                inside.count_down();
                comes_back.wait();
            });
        });
        was_lost = this_thread_is_lost();
    }};
    inside.wait();
    dog.look(later(59min));
    EXPECT_EQ(callee.lost, 0);
    EXPECT_FALSE(answered);
    EXPECT_EQ(dog.look(later(61min)), Watchdog::SteadyTime::max());
    EXPECT_EQ(callee.lost, 1);
    EXPECT_TRUE(answered) << "while it hangs";
    EXPECT_EQ(callee.back, 0);
    comes_back.count_down();
    caller.join();
    EXPECT_EQ(seen.kind, ErrorKind::timed_out);
    EXPECT_EQ(seen.code, Watchdog::overrun_code);
    EXPECT_TRUE(seen.request_left) << "a send may have gone out";
    EXPECT_TRUE(was_lost);
    EXPECT_EQ(callee.back, 1);
}

TEST(Watchdogs, LookByThemselves_G16) {
    Watchdog dog;
    Counted callee;
    std::latch given_up{1};
    const Abandonable work{[&](Rest&) { given_up.count_down(); }};
    const Error seen =
        error_of([&] { dog.watch(callee, method::receive, 0ms, [&] { given_up.wait(); }); });
    EXPECT_EQ(seen.code, Watchdog::overrun_code);
}

TEST(Watchdogs, LetNoOtherCallBeginOnALostThread) {
    Watchdog dog;
    Counted callee, other;
    const Abandonable work{[](Rest&) {}};
    EXPECT_EQ(
        error_of([&] { dog.watch(callee, method::send, 1h, [&] { dog.look(later(2h)); }); }).code,
        Watchdog::overrun_code);
    EXPECT_EQ(error_of([&] { dog.watch(other, method::send, 1h, [] { FAIL(); }); }).code,
              Watchdog::overrun_code);
    EXPECT_EQ(other.lost, 0);
}

// Nobody took its place: a test, or the main thread.
TEST(Watchdogs, GoOnWithAThreadThatHasNoWork) {
    Watchdog dog;
    Counted callee;
    EXPECT_EQ(
        error_of([&] { dog.watch(callee, method::send, 1h, [&] { dog.look(later(2h)); }); }).code,
        Watchdog::overrun_code);
    EXPECT_EQ(dog.watch(callee, method::send, 1h, [] { return 7; }), 7);
}

TEST(Watchdogs, BlameThePluginThatHangsAndNotTheOneThatCalledIt) {
    Watchdog dog;
    Counted outer, inner;
    error_of([&] {
        dog.watch(outer, method::answer, 2h,
                  [&] { dog.watch(inner, method::perform, 1h, [&] { dog.look(later(3h)); }); });
    });
    EXPECT_EQ(inner.lost, 1);
    EXPECT_EQ(outer.lost, 0);
    EXPECT_EQ(outer.waits, 1) << "its thread is lost all the same";
    EXPECT_EQ(outer.back, 1);
}

TEST(Watchdogs, LetThroughWhatACallAnswersOrThrows) {
    Watchdog dog;
    Counted callee;
    EXPECT_EQ(dog.watch(callee, method::send, 1h, [] { return std::string{"text"}; }), "text");
    EXPECT_EQ(error_of([&] {
                  dog.watch(callee, method::send, 1h,
                            [] { throw Error(ErrorKind::refused, "no"); });
              }).kind,
              ErrorKind::refused);
    EXPECT_THROW(dog.watch(callee, method::send, 1h, [] { throw 42; }), int);
    EXPECT_EQ(dog.look(later(2h)), Watchdog::SteadyTime::max()) << "none is left behind";
}

// A call into a plugin may cost 3 us; this is a small part of it.
TEST(Watchdogs, CostLittle) {
    Watchdog dog;
    Counted callee;
    constexpr int calls = 1'000;
    auto best = std::chrono::nanoseconds::max();
    for (int round = 0; round < 50; ++round) {
        const auto began = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; ++i) dog.watch(callee, method::receive, 1s, [] {});
        best = std::min(best, (std::chrono::steady_clock::now() - began) / calls);
    }
    RecordProperty("nanoseconds_per_call", std::to_string(best.count()));
#if defined(NDEBUG)
    EXPECT_LT(best, 1us);
#else
    EXPECT_LT(best, 50us);
#endif
}

TEST(Losses, AreTooManyWhenFourAreLostWithinAnHourInOneGeneration_G16) {
    std::vector<int64_t> told;
    std::string why;
    LostThreads lost{[&](int64_t generation, const std::string& text) {
        told.push_back(generation);
        why = text;
    }};
    const auto now = std::chrono::steady_clock::now();
    for (int i = 0; i < 3; ++i) lost.lost(1, "send", now);
    lost.lost(2, "send", now);
    EXPECT_TRUE(told.empty()) << "another generation, another chance";
    for (int hour = 1; hour < 8; ++hour) lost.lost(2, "send", now + hour * 61min);
    EXPECT_TRUE(told.empty()) << "one now and then";
    for (int i = 0; i < 4; ++i) lost.lost(3, "receive", now + 10h);
    EXPECT_EQ(told, std::vector<int64_t>{3});
    EXPECT_NE(why.find("4 calls"), std::string::npos);
    EXPECT_NE(why.find("receive"), std::string::npos);
    EXPECT_EQ(lost.hanging(), 15);
    lost.back();
    EXPECT_EQ(lost.hanging(), 14);
}

}  // namespace
}  // namespace patchbay
