#include "delivery/pace.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "delivery/delivery_fixture.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

SteadyTime at(std::chrono::milliseconds time) { return SteadyTime{1h + time}; }

/// Starts of a channel that always has more to send than it may.
std::vector<SteadyTime> starts_of(Pace& pace, std::chrono::seconds length) {
    std::vector<SteadyTime> starts;
    for (auto now = 0ms; now < length; now += 1ms) {
        for (unsigned n = pace.available(at(now), 50); n > 0; --n)
            starts.push_back(pace.take(at(now)));
    }
    return starts;
}

size_t most_in_a_second(const std::vector<SteadyTime>& starts) {
    std::deque<SteadyTime> window;
    size_t most = 0;
    for (const SteadyTime start : starts) {
        window.push_back(start);
        while (window.front() + 1s <= start) window.pop_front();
        most = std::max(most, window.size());
    }
    return most;
}

TEST(Paces, NeverPassTheirRateNorMakeBunches_F52) {
    for (const double rate : {1.0, 10.0, 80.0, 1000.0}) {
        SCOPED_TRACE(rate);
        Pace pace{rate};
        const auto starts = starts_of(pace, 10s);
        EXPECT_LE(most_in_a_second(starts), static_cast<size_t>(rate) + 1);
        EXPECT_GE(starts.size(), static_cast<size_t>(rate * 9.5)) << "and they reach it";
    }
}

TEST(Paces, DoNotSaveUpWhatWasNotUsed_F52) {
    Pace pace{10};
    pace.take(at(0ms));
    EXPECT_LE(pace.available(at(1h), 50), 2u);
}

TEST(Paces, BeginSlowlyAfterAnOutage_F24_G18) {
    Pace pace{100};
    pace.restart(at(0ms));
    EXPECT_DOUBLE_EQ(pace.factor(at(0s)), 0.1);
    EXPECT_DOUBLE_EQ(pace.factor(at(29s)), 0.1);
    EXPECT_DOUBLE_EQ(pace.factor(at(30s)), 0.2);
    EXPECT_DOUBLE_EQ(pace.factor(at(90s)), 0.8);
    EXPECT_DOUBLE_EQ(pace.factor(at(120s)), 1.0);
    const auto starts = starts_of(pace, 20s);
    EXPECT_LE(most_in_a_second(starts), 11u);
}

TEST(Breakers, OpenWhenHalfOfTwentyCallsFail) {
    Breaker breaker;
    for (int i = 0; i < 10; ++i) breaker.record(Breaker::Seen::good, at(0ms));
    for (int i = 0; i < 9; ++i) breaker.record(Breaker::Seen::failed, at(0ms));
    EXPECT_FALSE(breaker.is_open());
    breaker.record(Breaker::Seen::failed, at(1s));
    EXPECT_TRUE(breaker.is_open());
}

TEST(Breakers, ForgetWhatIsAMinuteOld) {
    Breaker breaker;
    for (int i = 0; i < 15; ++i) breaker.record(Breaker::Seen::failed, at(0ms));
    for (int i = 0; i < 15; ++i) breaker.record(Breaker::Seen::good, at(61s));
    breaker.record(Breaker::Seen::failed, at(61s));
    EXPECT_FALSE(breaker.is_open());
}

TEST(Breakers, OpenAfterFiveConnectionFailuresAndProbeEveryThirtySeconds) {
    Breaker breaker;
    for (int i = 0; i < 4; ++i) breaker.record(Breaker::Seen::no_connection, at(0ms));
    breaker.record(Breaker::Seen::good, at(0ms));
    for (int i = 0; i < 4; ++i) breaker.record(Breaker::Seen::no_connection, at(0ms));
    EXPECT_FALSE(breaker.is_open()) << "not in a row";
    breaker.record(Breaker::Seen::no_connection, at(0ms));
    EXPECT_TRUE(breaker.is_open());
    EXPECT_FALSE(breaker.allows(at(29s)));
    EXPECT_TRUE(breaker.allows(at(30s)));
    breaker.probe_started(at(30s));
    EXPECT_FALSE(breaker.allows(at(31s)));
    EXPECT_FALSE(breaker.record(Breaker::Seen::no_connection, at(31s)));
    EXPECT_TRUE(breaker.allows(at(60s)));
    EXPECT_TRUE(breaker.record(Breaker::Seen::good, at(61s)));
    EXPECT_FALSE(breaker.is_open());
}

TEST(Breakers, OpenWhenThePluginWentWrongFiveTimesInAMinute_F40) {
    Breaker breaker;
    for (int i = 0; i < 100; ++i) breaker.record(Breaker::Seen::good, at(0ms));
    for (int i = 0; i < 4; ++i) breaker.record(Breaker::Seen::plugin_fault, at(0ms));
    EXPECT_FALSE(breaker.is_open());
    breaker.record(Breaker::Seen::plugin_fault, at(61s));
    EXPECT_FALSE(breaker.is_open()) << "the others are a minute old";
    for (int i = 0; i < 4; ++i) breaker.record(Breaker::Seen::plugin_fault, at(70s));
    EXPECT_TRUE(breaker.is_open());
}

using ChannelGates = SenderTest;

TEST_F(ChannelGates, AllowOneProbeWhileTheBreakerIsOpenAndThenBeginSlowly_F24_G14) {
    for (int i = 0; i < 5; ++i) gate->report(Verdict::not_sent, 5ms);
    EXPECT_TRUE(gate->is_breaker_open());
    EXPECT_EQ(gate->may_claim(8, 0).count, 0u);
    clock.advance(30s);
    EXPECT_EQ(gate->may_claim(8, 0).count, 1u);
    EXPECT_EQ(gate->may_claim(8, 0).count, 1u) << "nothing was claimed: the probe is still to come";
    gate->take();
    EXPECT_EQ(gate->may_claim(8, 1).count, 0u);
    gate->report(Verdict::accepted, 5ms);
    EXPECT_EQ(gate->may_claim(8, 0).count, 1u) << "a tenth of eight workers, at least one";
    clock.advance(2min);
    EXPECT_EQ(gate->may_claim(8, 0).count, 8u);
}

TEST_F(ChannelGates, KeepToWhatThePluginCanTakeAtOnce) {
    channel->can.max_concurrency = 3;
    EXPECT_EQ(gate->may_claim(8, 0).count, 3u);
    EXPECT_EQ(gate->may_claim(6, 2).count, 1u);
    EXPECT_EQ(gate->may_claim(5, 3).count, 0u);
}

TEST_F(ChannelGates, GoByTheConfigurationWhereThePluginSetsNoLimit) {
    ChannelGate wide{{.instance = "sms", .concurrency = 50}, leases(), clock};
    EXPECT_EQ(wide.may_claim(50, 0).count, 50u);
    channel->can.max_concurrency = 80;
    EXPECT_EQ(wide.may_claim(50, 0).count, 50u) << "the lower one counts";
}

TEST_F(ChannelGates, KeepToLimitsThatChange_G21) {
    ChannelGate wide{{.instance = "sms", .concurrency = 50}, leases(), clock};
    channel->can.max_concurrency = 0;
    EXPECT_EQ(wide.may_claim(50, 0).count, 50u);
    wide.change(2, 0);
    EXPECT_EQ(wide.may_claim(50, 0).count, 2u);
    wide.change(50, 1);
    EXPECT_EQ(wide.may_claim(50, 0).count, 1u) << "one a second";
}

TEST_F(ChannelGates, DoNotCountRefusalsAsFailures) {
    for (int i = 0; i < 100; ++i) gate->report(Verdict::refused, 5ms);
    EXPECT_FALSE(gate->is_breaker_open());
}

}  // namespace
}  // namespace patchbay
