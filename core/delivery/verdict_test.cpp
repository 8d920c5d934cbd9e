#include "delivery/verdict.hpp"

#include <gtest/gtest.h>

#include "delivery/job_runner.hpp"
#include "store/store.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using Job = NextStep::Job;

Error error_of(ErrorKind kind, bool request_left, std::chrono::milliseconds after = {}) {
    Error error{kind, "words of the provider"};
    error.request_left = request_left;
    error.retry_after = after;
    return error;
}

NextStep after_one_try(const TryResult& result, int64_t attempt = 1) {
    return next_step(result, {.attempt = attempt, .now = 1'000'000});
}

struct Case {
    const char* what;
    TryResult result;
    Verdict verdict;
    Job job;
    const char* status;
    bool spends_attempt;
};

const Case cases[] = {
    {"accepted", classify(SendResult::accepted("SM1")), Verdict::accepted, Job::done, "accepted",
     true},
    {"429", classify(SendResult::retry_later("429", "slow down")), Verdict::retry_later, Job::ready,
     "", true},
    {"500", classify(SendResult::unknown("500", "half-way")), Verdict::unknown, Job::unknown,
     "unknown", true},
    {"400", classify(SendResult::refused("400", "bad number")), Verdict::refused, Job::dead,
     "failed", true},
    {"opted out", classify(SendResult::opted_out("21610", "STOP")), Verdict::opted_out, Job::dead,
     "failed", true},
    {"401", classify(std::make_exception_ptr(error_of(ErrorKind::unauthorized, true))),
     Verdict::unauthorized, Job::ready, "", false},
    {"403", classify(std::make_exception_ptr(error_of(ErrorKind::forbidden, true))),
     Verdict::unauthorized, Job::ready, "", false},
    {"connection refused", classify(std::make_exception_ptr(ConnectionFailed(false, "refused"))),
     Verdict::not_sent, Job::ready, "", true},
    {"reset after the first byte",
     classify(std::make_exception_ptr(ConnectionFailed(true, "reset"))), Verdict::unknown,
     Job::unknown, "unknown", true},
    {"the plugin overran", classify(std::make_exception_ptr(error_of(ErrorKind::timed_out, false))),
     Verdict::unknown, Job::unknown, "unknown", true},
    {"the plugin is stopping",
     classify(std::make_exception_ptr(error_of(ErrorKind::stopping, false))), Verdict::stopping,
     Job::ready, "", false},
    {"our disk is full",
     classify(std::make_exception_ptr(StoreError(StoreError::Kind::full, "no space"))),
     Verdict::stopping, Job::ready, "", false},
    {"our statement is wrong",
     classify(std::make_exception_ptr(StoreError(StoreError::Kind::constraint, "unique"))),
     Verdict::internal, Job::ready, "", true},
    {"the plugin threw before sending",
     classify(std::make_exception_ptr(std::runtime_error("bug"))), Verdict::internal, Job::ready,
     "", true},
    {"the plugin threw after sending",
     classify(std::make_exception_ptr(error_of(ErrorKind::internal, true))), Verdict::unknown,
     Job::unknown, "unknown", true},
    {"the plugin threw no exception type", classify(std::make_exception_ptr(7)), Verdict::internal,
     Job::ready, "", true},
    {"no such recipient", classify(std::make_exception_ptr(error_of(ErrorKind::not_found, true))),
     Verdict::refused, Job::dead, "failed", true},
};

// F20, F21, F22, F23, F28, F40: the table of guarantees section 5.
TEST(Verdicts, FollowTheTableOfOutcomes_F20_F22_F23) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        EXPECT_EQ(word(c.result.verdict), word(c.verdict));
        const NextStep step = after_one_try(c.result);
        EXPECT_EQ(step.job, c.job);
        EXPECT_EQ(step.status, c.status);
        EXPECT_EQ(step.spend_attempt, c.spends_attempt);
        EXPECT_EQ(step.pause_channel, c.verdict == Verdict::unauthorized);
    }
}

TEST(RetryDelays, SpreadOverAFifthBothWays_G18) {
    double least = 1, most = -1;
    for (int i = 0; i < 2000; ++i) {
        const double jitter = random_jitter();
        least = std::min(least, jitter);
        most = std::max(most, jitter);
    }
    EXPECT_GE(least, -1);
    EXPECT_LT(least, -0.9);
    EXPECT_LE(most, 1);
    EXPECT_GT(most, 0.9);
}

TEST(RetryDelays, RiseFromFiveSecondsToTwentyHours_G18) {
    const std::chrono::milliseconds expected[] = {5s, 30s, 2min, 10min, 30min, 1h,
                                                  2h, 4h,  8h,   12h,   20h};
    int64_t attempt = 1;
    for (const auto delay : expected) {
        SCOPED_TRACE(attempt);
        EXPECT_EQ(retry_delay(attempt, 0), delay);
        EXPECT_EQ(retry_delay(attempt, 1), delay * 12 / 10);
        EXPECT_EQ(retry_delay(attempt, -1), delay * 8 / 10);
        ++attempt;
    }
}

TEST(RetryDelays, GiveWayToALongerRetryAfterUpToAnHour) {
    const auto delay_with = [](std::chrono::milliseconds retry_after) {
        const auto result = classify(SendResult::retry_later("429", "", retry_after));
        return after_one_try(result).run_at - 1'000'000;
    };
    EXPECT_EQ(delay_with(1s), 5'000);
    EXPECT_EQ(delay_with(90s), 90'000);
    EXPECT_EQ(delay_with(24h), 3'600'000);
}

TEST(NextSteps, EndAfterTheLastAttempt) {
    const auto later = classify(SendResult::retry_later("503", "down"));
    EXPECT_EQ(after_one_try(later, 11).job, Job::ready);
    EXPECT_EQ(after_one_try(later, 12).job, Job::dead);
    EXPECT_EQ(after_one_try(later, 12).status, "failed");
}

TEST(NextSteps, NeverSpendAnAttemptOnOurCredentials_G14) {
    const auto refused = classify(std::make_exception_ptr(error_of(ErrorKind::unauthorized, true)));
    EXPECT_EQ(after_one_try(refused, 12).job, Job::ready);
}

}  // namespace
}  // namespace patchbay
