#include "delivery/outcome_board.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace patchbay {
namespace {

using namespace std::chrono_literals;

using Seen = std::promise<std::optional<FirstOutcome>>;

TEST(OutcomeBoards, TellWhoeverWaits) {
    OutcomeBoard board;
    Seen seen;
    board.await("m1", 10s, [&](const auto& outcome) { seen.set_value(outcome); });
    board.post("m2", {.verdict = Verdict::refused});
    board.post("m1", {.verdict = Verdict::accepted, .provider_id = "SM1"});
    const auto outcome = seen.get_future().get();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->provider_id, "SM1");
    EXPECT_EQ(board.waiting(), 0u);
}

TEST(OutcomeBoards, RememberWhatCameBeforeAnybodyWaited) {
    OutcomeBoard board;
    board.post("m1", {.verdict = Verdict::accepted});
    board.post("m1", {.verdict = Verdict::refused});
    std::optional<FirstOutcome> seen;
    board.await("m1", 10s, [&](const auto& outcome) { seen = outcome; });
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->verdict, Verdict::accepted) << "the first counts";
}

TEST(OutcomeBoards, GiveUpWhenTheTimeIsOver) {
    OutcomeBoard board;
    Seen late, early;
    board.await("m1", 10s, [&](const auto& outcome) { late.set_value(outcome); });
    board.await("m1", 1ms, [&](const auto& outcome) { early.set_value(outcome); });
    EXPECT_FALSE(early.get_future().get());
    EXPECT_EQ(board.waiting(), 1u);
    board.post("m1", {});
    EXPECT_TRUE(late.get_future().get());
}

TEST(OutcomeBoards, AnswerAllAtStop_G11) {
    OutcomeBoard board;
    int answered = 0;
    const auto count = [&](const auto& outcome) {
        EXPECT_FALSE(outcome);
        ++answered;
    };
    for (int i = 0; i < 5; ++i) board.await("m" + std::to_string(i), 10s, count);
    board.stop();
    board.await("m9", 10s, count);
    EXPECT_EQ(answered, 6);
}

TEST(OutcomeBoards, BearManyThreads) {
    OutcomeBoard board;
    constexpr int messages = 500;
    std::atomic<int> answered{0};
    std::thread waiter{[&] {
        for (int i = 0; i < messages; ++i) {
            board.await(std::to_string(i), 10s, [&](const auto& outcome) {
                EXPECT_TRUE(outcome);
                ++answered;
            });
        }
    }};
    std::thread poster{[&] {
        for (int i = 0; i < messages; ++i) board.post(std::to_string(i), {});
    }};
    waiter.join();
    poster.join();
    EXPECT_EQ(answered, messages);
}

}  // namespace
}  // namespace patchbay
