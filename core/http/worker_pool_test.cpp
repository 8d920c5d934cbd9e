#include "http/worker_pool.hpp"

#include <gtest/gtest.h>

#include <latch>

#include "base/hang_test.hpp"
#include "http/exchange.hpp"
#include "http/problem.hpp"

namespace patchbay {
namespace {

ExchangePtr exchange(std::vector<int>& statuses) {
    return std::make_shared<Exchange>(HttpRequest{}, "req-1", [&statuses](Response response) {
        statuses.push_back(response.status);
    });
}

TEST(WorkerPools, AnswerInALostThreadsPlaceAndReplaceIt_F41) {
    Hang hang;
    std::vector<int> statuses;  // Written by one thread after the other.
    std::latch next{1};
    WorkerPool pool("test", 1, 10);
    pool.post([&, asked = exchange(statuses)] {
        answering_errors(asked, [&] {
            hang.here();
            asked->answer({.status = 200});
        });
    });
    hang.give_up();
    EXPECT_TRUE(pool.post([&] { next.count_down(); }));
    next.wait();
    EXPECT_EQ(statuses, std::vector<int>{504});
    const uint64_t late = Exchange::late_answers();
    pool.stop();
    hang.let_go();
    EXPECT_EQ(Exchange::late_answers(), late) << "what the lost one says is no answer";
}

TEST(WorkerPools, KeepTheAnswerThatWasGivenBeforeTheThreadWasLost) {
    Hang hang;
    std::vector<int> statuses;
    std::latch next{1};
    WorkerPool pool("test", 1, 10);
    pool.post([&, asked = exchange(statuses)] {
        answering_errors(asked, [&] {
            asked->answer({.status = 204});
            hang.here();
        });
    });
    hang.give_up();
    pool.post([&] { next.count_down(); });
    next.wait();
    EXPECT_EQ(statuses, std::vector<int>{204});
    hang.let_go();
}

}  // namespace
}  // namespace patchbay
