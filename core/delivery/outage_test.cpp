// Outages in virtual time: what a runner does with its gate and its sender, on the test's own
// thread and clock, so that six hours take seconds.
#include <deque>

#include "delivery/delivery_fixture.hpp"
#include "delivery/housekeeping.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class Outages : public SenderTest {
protected:
    static constexpr uint32_t rate = 10;

    Outages() {
        gate = std::make_shared<ChannelGate>(
            ChannelSettings{.instance = "sms", .concurrency = 8, .per_second = rate}, leases(),
            clock);
    }

    void queue_many(int count, std::chrono::hours valid_for) {
        for (int i = 0; i < count; ++i) {
            Draft draft;
            draft.channel = "sms";
            draft.to = Address::phone("+1555" + std::to_string(1'000'000 + next_++));
            draft.text = "hello";
            draft.validity = valid_for;
            queue(draft);
        }
    }
    /// For so long every call finds nobody; each is noted all the same.
    void provider_is_down(bool is_down) { down_ = is_down; }

    /// Lets the runner work for `length`: it asks its gate, claims, and begins each when it may.
    void run_for(std::chrono::milliseconds length) {
        const auto end = clock.steady() + length;
        while (clock.steady() < end) {
            const Gate::Answer answer = gate->may_claim(8, 0);
            for (ClaimedJob& job : answer.count ? claim(answer.count) : std::vector<ClaimedJob>{}) {
                const auto start = gate->take();
                if (start > clock.steady()) advance(ceil(start - clock.steady()));
                send(job);
            }
            advance(answer.count ? step
                                 : std::clamp(ceil(answer.ask_again - clock.steady()), step,
                                              std::chrono::milliseconds{1s}));
            if (++rounds_ % 50 == 0) expire_sends(context);
        }
        expire_sends(context);
    }
    int count(const std::string& status) {
        static const Statement by_status{
            "test.by_status", "SELECT COUNT(*) FROM messages WHERE status=$1", {}, true};
        return static_cast<int>(store.read(
            [&](Session& session) { return session.first(by_status, {status})->number(0); }));
    }
    /// The most calls in any second, of those since `from`.
    static size_t most_in_a_second(const std::vector<SteadyTime>& calls, SteadyTime from) {
        std::deque<SteadyTime> window;
        size_t most = 0;
        for (const SteadyTime call : calls) {
            if (call < from) continue;
            window.push_back(call);
            while (window.front() + 1s <= call) window.pop_front();
            most = std::max(most, window.size());
        }
        return most;
    }
    size_t calls_between(SteadyTime from, SteadyTime to) const {
        return static_cast<size_t>(std::count_if(
            calls_.begin(), calls_.end(), [&](SteadyTime at) { return at >= from && at < to; }));
    }

    std::vector<SteadyTime> calls_;

private:
    static constexpr std::chrono::milliseconds step{10};
    static std::chrono::milliseconds ceil(std::chrono::nanoseconds time) {
        return std::chrono::ceil<std::chrono::milliseconds>(time);
    }
    void send(ClaimedJob& job) {
        if (down_) channel->throws(ConnectionFailed(false, "nobody listens"));
        const size_t before = channel->calls().size();
        Sender{context, gate}.run(job);
        if (channel->calls().size() > before) calls_.push_back(clock.steady());
    }
    bool down_ = false;
    int next_ = 0, rounds_ = 0;
};

TEST_F(Outages, OfSixHoursCostNoMessageAndEndGently_F24_G14_G18) {
    provider_is_down(true);
    queue_many(300, 24h);
    queue_many(20, 2h);
    const auto began = clock.steady();
    run_for(6h);
    EXPECT_EQ(count("expired"), 20) << "what was valid for less is marked, not dropped";
    EXPECT_LE(calls_between(began + 1min, began + 6h), 6u * 120) << "one probe in 30 s";
    EXPECT_GE(calls_between(began + 1min, began + 6h), 5u * 120) << "and not fewer";

    provider_is_down(false);
    const auto back = clock.steady();
    run_for(10min);
    EXPECT_EQ(count("accepted"), 300) << "not one was lost, none has used up its attempts";
    EXPECT_EQ(count("failed"), 0);
    // The first that worked was the probe, at most 30 s after the provider was back.
    const auto first =
        *std::find_if(calls_.begin(), calls_.end(), [&](SteadyTime call) { return call >= back; });
    EXPECT_LE(first - back, 31s);
    EXPECT_LE(calls_between(first, first + 30s), 30u + 2) << "a tenth of 10/s, for 30 s";
    EXPECT_GE(calls_between(first, first + 30s), 25u);
    EXPECT_LE(calls_between(first + 30s, first + 60s), 60u + 2) << "then a fifth";
    EXPECT_GE(calls_between(first + 30s, first + 60s), 50u);
    EXPECT_LE(most_in_a_second(calls_, back), rate + 1) << "and never more than the rate";
    expect_sound();
}

TEST_F(Outages, LeaveABacklogThatKeepsToTheRate_F52_G18) {
    queue_many(500, 24h);
    const auto began = clock.steady();
    run_for(45s);
    EXPECT_LE(most_in_a_second(calls_, began), rate + 1);
    EXPECT_GE(calls_.size(), 45u * rate * 95 / 100) << "and reaches it";
}

TEST_F(Outages, OfOneChannelSpendNoAttemptsWhileTheBreakerIsOpen_F24_G14) {
    provider_is_down(true);
    queue_many(40, 24h);
    run_for(1min);
    ASSERT_TRUE(gate->is_breaker_open());
    const size_t before = tries().size();
    run_for(10min);
    EXPECT_LE(tries().size() - before, 20u) << "ten minutes have twenty probes";
}

}  // namespace
}  // namespace patchbay
