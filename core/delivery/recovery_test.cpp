#include "delivery/recovery.hpp"

#include "delivery/delivery_fixture.hpp"
#include "delivery/probation.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class Recovery : public SenderTest {
protected:
    WorkerInfo worker(const std::string& owner) { return {owner, "host", "boot", "0.1.0", 7}; }
};

TEST_F(Recovery, TakesBackWhatADeadProcessHeldAtOnce_F01_G10) {
    register_worker(store, worker("dead"));
    const QueuedMessage claimed = queue("+15558675310");
    const QueuedMessage sending = queue("+15558675311");
    auto jobs = claim(2, "dead");
    ASSERT_EQ(jobs.size(), 2u);
    store.write([&](Transaction& tx) { mark_sending(tx, jobs[1], clock.now_ms()); });

    const WorkerInfo self = worker("me");
    register_worker(store, self);
    const Recovered recovered = recover(store, ids, self, true);
    EXPECT_EQ(recovered.dead_workers, 1u);
    EXPECT_EQ(recovered.ready, 1u);
    EXPECT_EQ(recovered.unknown, 1u);
    EXPECT_EQ(job_state(claimed.job_id), "ready");
    EXPECT_EQ(job_attempt(claimed.job_id), 1) << "a crash counts as an attempt";
    EXPECT_EQ(job_state(sending.job_id), "unknown");
    EXPECT_EQ(status_of(sending.message_id), "unknown");
    ASSERT_TRUE(send_next());
    EXPECT_EQ(status_of(claimed.message_id), "accepted");
    // What the dead process would have written, had it only been frozen.
    EXPECT_THROW(
        store.write([&](Transaction& tx) { end_job(tx, jobs[1], "done", "", clock.now_ms()); }),
        LeaseLost);
    expect_sound();
}

TEST_F(Recovery, CountsTheCrashesOfAJob_G15) {
    const QueuedMessage queued = queue("+15558675310");
    for (int crash = 1; crash <= 3; ++crash) {
        const std::string owner = "dead" + std::to_string(crash);
        register_worker(store, worker(owner));
        claim(1, owner);
        const WorkerInfo self = worker("me" + std::to_string(crash));
        register_worker(store, self);
        recover(store, ids, self, true);
        const auto row = store.read(
            [&](Session& session) { return session.first(sql::job_get, {queued.job_id}); });
        EXPECT_EQ(row->number(15), crash);
    }
}

TEST_F(Recovery, SetsAJobAsideThatTwoCrashesName_F42_G15) {
    const QueuedMessage queued = queue("+15558675310");
    const auto crashes = [&] {
        return store.read([&](Session& session) {
            return session.first(sql::job_get, {queued.job_id})->number(15);
        });
    };
    for (int crash = 1; crash <= 2; ++crash) {
        const std::string owner = "dead" + std::to_string(crash);
        register_worker(store, worker(owner));
        claim(1, owner);
        const WorkerInfo self = worker("me" + std::to_string(crash));
        register_worker(store, self);
        recover(store, ids, self, true);
        blame_jobs(store, {{WorkKind::job, queued.job_id, true}, {WorkKind::webhook, 7, true}});
        EXPECT_EQ(crashes(), crash == 1 ? crashes_before_probation : crashes_before_quarantine);
    }
    blame_jobs(store, {{WorkKind::job, queued.job_id, false}});
    EXPECT_EQ(crashes(), crashes_before_quarantine) << "it only ran when another one crashed";
    ASSERT_TRUE(send_next());
    EXPECT_TRUE(channel->sent().empty());
    EXPECT_EQ(job_state(queued.job_id), "dead");
    EXPECT_EQ(status_of(queued.message_id), "failed");
    expect_sound();
}

TEST_F(Recovery, LeavesALivingNodeAloneWhenTheDatabaseIsShared_F03) {
    register_worker(store, worker("other"));
    const QueuedMessage queued = queue("+15558675310");
    claim(1, "other");
    const WorkerInfo self = worker("me");
    register_worker(store, self);
    EXPECT_EQ(recover(store, ids, self, false).dead_workers, 0u);
    EXPECT_EQ(job_state(queued.job_id), "running");
    clock.advance(41s);
    EXPECT_EQ(recover(store, ids, self, false).ready, 1u);
    EXPECT_EQ(job_state(queued.job_id), "ready");
}

TEST_F(Recovery, RescuesLeasesThatEndedAndNoOthers_F04_G10) {
    const QueuedMessage queued = queue("+15558675310");
    claim(1, "frozen");
    clock.advance(30s);
    EXPECT_EQ(rescue(store, ids, "me").ready, 0u);
    clock.advance(1s);
    EXPECT_EQ(rescue(store, ids, "me").ready, 1u);
    EXPECT_EQ(job_state(queued.job_id), "ready");
}

TEST_F(Recovery, GivesEachProcessANodeOfItsOwn) {
    std::set<uint8_t> nodes;
    for (int i = 0; i < 256; ++i) {
        EXPECT_TRUE(nodes.insert(register_worker(store, worker("w" + std::to_string(i)))).second);
    }
    EXPECT_THROW(register_worker(store, worker("one too many")), StoreError);
    unregister_worker(store, "w17");
    EXPECT_NO_THROW(register_worker(store, worker("again")));
}

TEST_F(Recovery, DoesNotReuseTheNodeOfTheProcessBefore_F50) {
    const uint8_t first = register_worker(store, worker("first"));
    unregister_worker(store, "first");
    EXPECT_NE(register_worker(store, worker("second")), first);
}

/// A wall clock that can be set apart from the steady one.
class SplitClock final : public Clock {
public:
    TimeMs now_ms() const override { return wall; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point{steady_passed};
    }
    void pass(std::chrono::milliseconds time) {
        wall += time.count();
        steady_passed += time;
    }
    TimeMs wall = 1'800'000'000'000;
    std::chrono::milliseconds steady_passed{0};
};

TEST(ClockGuards, StopRescueForOneLeaseAfterAJump_F50_G17) {
    SplitClock clock;
    ClockGuard guard{clock};
    clock.pass(5s);
    EXPECT_TRUE(guard.may_rescue());
    clock.wall += 24 * 3600 * 1000;
    EXPECT_FALSE(guard.may_rescue());
    clock.pass(29s);
    EXPECT_FALSE(guard.may_rescue());
    clock.pass(1s);
    EXPECT_TRUE(guard.may_rescue());
}

TEST(ClockGuards, BearAClockThatIsSlewed) {
    SplitClock clock;
    ClockGuard guard{clock};
    for (int i = 0; i < 10'000; ++i) {
        clock.pass(5s);
        clock.wall += 2;
        ASSERT_TRUE(guard.may_rescue()) << i;
    }
}

}  // namespace
}  // namespace patchbay
