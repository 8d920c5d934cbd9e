#include "delivery/job_runner.hpp"

#include <latch>

#include "delivery/delivery_fixture.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class Runner : public DeliveryTest {
protected:
    int64_t add_job(const std::string& lane = "", const std::string& payload = "") {
        const auto made = store.write([&](Transaction& tx) {
            std::optional<LanePlace> place;
            if (!lane.empty()) place = lock_lane(tx, lane);
            return enqueue_job(tx, ids,
                               {.queue = "work",
                                .ukey = "k" + std::to_string(next_++),
                                .kind = "test",
                                .payload = payload},
                               place, clock.now_ms());
        });
        return made->id;
    }
    std::unique_ptr<JobRunner> start(unsigned workers, JobRunner::Handler handler,
                                     std::chrono::milliseconds longest_run = 60s) {
        auto runner = std::make_unique<JobRunner>(
            store, ids,
            RunnerOptions{
                .queue = "work", .owner = "me", .workers = workers, .longest_run = longest_run},
            std::move(handler));
        runner->start();
        return runner;
    }
    void end(const ClaimedJob& job) {
        store.write([&](Transaction& tx) {
            touch_lane(tx, job.lane);
            end_job(tx, job, "done", "", clock.now_ms());
        });
    }
    size_t in_state(const std::string& state) {
        return store.read([&](Session& session) {
            const Rows rows = session.run(test_jobs);
            return static_cast<size_t>(std::count_if(
                rows.begin(), rows.end(), [&](const Row& row) { return row.text(1) == state; }));
        });
    }
    int next_ = 0;
};

TEST_F(Runner, KeepsTheOrderOfEachLaneWithManyWorkers_G5) {
    constexpr int lanes = 10, per_lane = 30;
    std::mutex mutex;
    std::map<std::string, std::vector<int>> seen;
    std::map<std::string, int> at_once;
    for (int i = 0; i < per_lane; ++i) {
        for (int lane = 0; lane < lanes; ++lane) {
            add_job("lane" + std::to_string(lane), std::to_string(i));
        }
    }
    const auto runner = start(8, [&](ClaimedJob& job) {
        {
            const std::lock_guard lock{mutex};
            EXPECT_EQ(++at_once[job.lane], 1) << "two jobs of one lane at once";
            seen[job.lane].push_back(std::stoi(job.payload));
        }
        std::this_thread::yield();
        {
            const std::lock_guard lock{mutex};
            --at_once[job.lane];
        }
        end(job);
    });
    ASSERT_TRUE(eventually([&] { return runner->counters().finished == lanes * per_lane; }));
    for (const auto& [lane, order] : seen) {
        EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << lane;
        EXPECT_EQ(order.size(), static_cast<size_t>(per_lane)) << lane;
    }
    expect_sound();
}

TEST_F(Runner, TriesAFailedJobAgainAndGivesItUpAfterItsLastAttempt_G15) {
    const int64_t id = add_job("lane");
    const int64_t next = add_job("lane");
    const auto poison = [&](ClaimedJob& job) {
        if (job.id == id) throw std::runtime_error("poison");
        end(job);
    };
    const auto runner = start(1, poison, std::chrono::hours{24 * 365});
    for (int attempt = 1; attempt < 12; ++attempt) {
        ASSERT_TRUE(eventually(
            [&] { return runner->counters().failed == static_cast<uint64_t>(attempt); }));
        ASSERT_TRUE(eventually([&] { return job_state(id) == "ready"; })) << attempt;
        EXPECT_GE(job_run_at(id), clock.now_ms() + 4'000);
        clock.advance(25h);
        runner->wake();
    }
    ASSERT_TRUE(eventually([&] { return job_state(id) == "dead"; }));
    EXPECT_TRUE(eventually([&] { return job_state(next) == "done"; })) << "its lane goes on";
    expect_sound();
}

TEST_F(Runner, SetsAsideWhatEndedItsPluginsProcessTwice_F42_G15) {
    const int64_t id = add_job("lane");
    const int64_t next = add_job("lane");
    const auto kills = [&](ClaimedJob& job) {
        if (job.id != id) return end(job);
        Error died(ErrorKind::unavailable, "the process died in run");
        died.request_left = true;
        died.code = process_died;
        throw died;
    };
    const auto runner = start(1, kills, std::chrono::hours{24 * 365});
    ASSERT_TRUE(eventually([&] { return runner->counters().failed == 1; }));
    ASSERT_TRUE(eventually([&] { return job_state(id) == "ready"; }))
        << "it may have been another's";
    clock.advance(1h);
    runner->wake();
    ASSERT_TRUE(eventually([&] { return job_state(id) == "dead"; }));
    EXPECT_TRUE(eventually([&] { return job_state(next) == "done"; })) << "its lane goes on";
    expect_sound();
}

TEST_F(Runner, LeavesTheOutcomeOpenWhenAHandlerThrowsAfterItWasSending_G7) {
    const int64_t id = add_job();
    const auto runner = start(1, [&](ClaimedJob& job) {
        store.write([&](Transaction& tx) { mark_sending(tx, job, clock.now_ms()); });
        job.sending = true;
        throw std::runtime_error("half-way");
    });
    EXPECT_TRUE(eventually([&] { return job_state(id) == "unknown"; }));
}

TEST_F(Runner, RunsNoMoreThanItsWorkersAtOnce) {
    std::atomic<int> at_once{0}, most{0};
    std::latch enough{4};
    std::atomic<bool> go_on{false};
    for (int i = 0; i < 12; ++i) add_job();
    const auto runner = start(4, [&](ClaimedJob& job) {
        most = std::max<int>(most, ++at_once);
        if (!go_on) enough.count_down();
        go_on.wait(false);
        --at_once;
        end(job);
    });
    enough.wait();
    EXPECT_EQ(in_state("running"), 4u) << "what nobody can begin is not claimed";
    go_on = true;
    go_on.notify_all();
    ASSERT_TRUE(eventually([&] { return runner->counters().finished == 12; }));
    EXPECT_EQ(most, 4);
}

TEST_F(Runner, RunsAsManyAsItIsLetFromTheNextClaimOn_G21) {
    for (int i = 0; i < 6; ++i) add_job();
    std::atomic<int> now{0};
    std::atomic<bool> go{false};
    const auto runner = start(1, [&](ClaimedJob& job) {
        ++now;
        while (!go) std::this_thread::yield();
        end(job);
    });
    ASSERT_TRUE(eventually([&] { return now == 1; }));
    runner->set_workers(3);
    runner->wake();
    ASSERT_TRUE(eventually([&] { return now == 3; }));
    EXPECT_EQ(runner->counters().claimed, 3u);
    go = true;
    EXPECT_TRUE(eventually([&] { return runner->counters().finished == 6; }));
}

TEST_F(Runner, HandsBackAtStopWhatHasNotBegunToSend_F06_G11) {
    std::latch claimed_both{2};
    std::atomic<bool> go_on{false};
    const int64_t plain = add_job();
    const int64_t sending = add_job();
    const auto runner = start(2, [&](ClaimedJob& job) {
        if (job.id == sending) {
            store.write([&](Transaction& tx) { mark_sending(tx, job, clock.now_ms()); });
            job.sending = true;
        }
        claimed_both.count_down();
        go_on.wait(false);
        end(job);
    });
    claimed_both.wait();
    const StopReport report = runner->stop(0ms);
    EXPECT_EQ(report.handed_back, 1u);
    EXPECT_EQ(report.left_running, 2u);
    EXPECT_EQ(job_state(plain), "ready");
    EXPECT_EQ(job_attempt(plain), 0) << "the attempt is given back";
    EXPECT_EQ(job_state(sending), "running");
    go_on = true;
    go_on.notify_all();
    ASSERT_TRUE(eventually([&] { return job_state(sending) == "done"; }));
    ASSERT_TRUE(eventually([&] { return runner->counters().lease_lost == 1; }))
        << "the worker of the other one cannot write any more";
    EXPECT_EQ(job_state(plain), "ready");
}

TEST_F(Runner, FinishesWhatIsUnderWayWithinTheGrace_F06_G11) {
    std::latch begun{1};
    std::atomic<bool> go_on{false};
    const int64_t id = add_job();
    const auto runner = start(1, [&](ClaimedJob& job) {
        begun.count_down();
        go_on.wait(false);
        end(job);
    });
    begun.wait();
    std::thread stopper{[&] { EXPECT_EQ(runner->stop(10s).left_running, 0u); }};
    go_on = true;
    go_on.notify_all();
    stopper.join();
    EXPECT_EQ(job_state(id), "done");
}

TEST_F(Runner, ReplacesAWorkerThatHangs_F41_G16) {
    std::atomic<bool> go_on{false};
    std::atomic<bool> begun{false};
    const int64_t stuck = add_job();
    const auto runner = start(
        1,
        [&](ClaimedJob& job) {
            if (job.id == stuck) {
                begun = true;
                go_on.wait(false);
            }
            end(job);
        },
        10s);
    // Claimed is not enough: the clock must not move before the handler's time began.
    ASSERT_TRUE(eventually([&] { return begun.load(); }));
    const int64_t other = add_job();
    clock.advance(11s);
    runner->wake();
    EXPECT_TRUE(eventually([&] { return job_state(other) == "done"; }));
    EXPECT_EQ(runner->counters().lost_workers, 1u);
    go_on = true;
    go_on.notify_all();
}

TEST_F(Runner, ClaimsWhatBecameReadyWithoutBeingWoken) {
    const auto runner = start(1, [&](ClaimedJob& job) { end(job); });
    const int64_t id = add_job();
    EXPECT_TRUE(eventually([&] { return job_state(id) == "done"; }));
}

/// Lets one start every so often, as a channel with a rate does.
class SlowGate : public Gate {
public:
    explicit SlowGate(const Clock& clock) : clock_(clock) {}
    Answer may_claim(unsigned, unsigned) override {
        return {open ? 1u : 0u, clock_.steady() + 1ms};
    }
    std::chrono::steady_clock::time_point take() override { return clock_.steady() + wait; }
    std::atomic<bool> open{true};
    std::chrono::milliseconds wait{0};

private:
    const Clock& clock_;
};

TEST_F(Runner, HandsBackAtStopWhatWaitsForItsTurn_G11) {
    const auto gate = std::make_shared<SlowGate>(clock);
    gate->wait = 1h;
    const int64_t id = add_job();
    JobRunner runner{store,
                     ids,
                     {.queue = "work", .owner = "me"},
                     [](ClaimedJob&) { FAIL() << "too early"; },
                     gate};
    runner.start();
    ASSERT_TRUE(eventually([&] { return job_state(id) == "running"; }));
    const StopReport report = runner.stop(10s);
    EXPECT_EQ(report.handed_back, 1u);
    EXPECT_EQ(job_state(id), "ready");
    EXPECT_EQ(job_attempt(id), 0);
}

TEST_F(Runner, ClaimsNothingWhileItsGateIsClosed_F23) {
    const auto gate = std::make_shared<SlowGate>(clock);
    gate->open = false;
    const int64_t id = add_job();
    JobRunner runner{
        store, ids, {.queue = "work", .owner = "me"}, [&](ClaimedJob& job) { end(job); }, gate};
    runner.start();
    runner.wake();
    EXPECT_EQ(job_state(id), "ready");
    EXPECT_EQ(job_attempt(id), 0);
    gate->open = true;
    EXPECT_TRUE(eventually([&] { return job_state(id) == "done"; }));
}

}  // namespace
}  // namespace patchbay
