// Jobs whose thread does not come back from a plugin (G16, F41).
#include <latch>

#include "base/hang_test.hpp"
#include "base/replaceable_thread.hpp"
#include "delivery/delivery_fixture.hpp"
#include "delivery/unknown.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class LostWorkers : public SenderTest {
protected:
    int64_t add_job(const std::string& payload) {
        return store
            .write([&](Transaction& tx) {
                return enqueue_job(
                    tx, ids, {.queue = "work", .ukey = payload, .kind = "test", .payload = payload},
                    std::nullopt, clock.now_ms());
            })
            ->id;
    }
    std::unique_ptr<JobRunner> start(const std::string& queue, JobRunner::Handler handler,
                                     std::shared_ptr<Probation> probation = nullptr) {
        auto runner = std::make_unique<JobRunner>(
            store, ids,
            RunnerOptions{
                .queue = queue, .owner = "me", .workers = 1, .probation = std::move(probation)},
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
    bool becomes(int64_t job, const std::string& state) {
        return eventually([&] { return job_state(job) == state; });
    }
    Hang hang;
};

TEST_F(LostWorkers, AreReplacedAndTheirJobIsAFailedTry_G16) {
    const int64_t hung = add_job("hung");
    std::latch came_back{1};
    const auto runner = start("work", [&](ClaimedJob& job) {
        if (job.payload != "hung") return end(job);
        EXPECT_THROW(hang.here(), Error);
        // As one would that catches all. It has the same token, and must not end it twice.
        EXPECT_THROW(end(job), LeaseLost);
        came_back.count_down();
    });
    hang.give_up();
    ASSERT_TRUE(becomes(hung, "ready"));
    EXPECT_EQ(job_attempt(hung), 1);
    EXPECT_GE(job_run_at(hung), clock.now_ms() + 4'000);
    EXPECT_EQ(tries(), std::vector<std::string>{"internal"});
    EXPECT_TRUE(becomes(add_job("next"), "done")) << "its only worker was replaced";
    hang.let_go();
    came_back.wait();
    EXPECT_EQ(job_state(hung), "ready");
    const StopReport report = runner->stop(10s);
    EXPECT_EQ(report.left_running, 0u);
    EXPECT_EQ(runner->counters().failed, 1u);
    expect_sound();
}

TEST_F(LostWorkers, HoldUpNoStop_G11) {
    add_job("hung");
    const auto runner = start("work", [&](ClaimedJob&) { hang.here(); });
    hang.give_up();
    EXPECT_TRUE(eventually([&] { return runner->counters().failed == 1; }));
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(runner->stop(60s).left_running, 0u);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
    hang.let_go();
}

TEST_F(LostWorkers, LeaveASendUnknownOnce_F41_G7) {
    channel->answers([&](const OutboundMessage&) {
        hang.here();
        return SendResult::accepted("never said");
    });
    const QueuedMessage lost = queue("+15558675310");
    auto runner = start("sms", [&](ClaimedJob& job) { sender.run(job); });
    hang.give_up();
    ASSERT_TRUE(becomes(lost.job_id, "unknown"));
    EXPECT_EQ(status_of(lost.message_id), "unknown");
    const QueuedMessage next = queue("+15558675311");
    runner->wake();
    EXPECT_TRUE(becomes(next.job_id, "done"));
    hang.let_go();
    runner.reset();  // Waits for the lost one.
    EXPECT_EQ(tries(), (std::vector<std::string>{"unknown", "accepted"})) << "nothing of it twice";
    EXPECT_EQ(gate->counters().sends.at("unknown"), 1u);
    expect_sound();
}

const Statement test_crashes{"test.crashes_of_all", "UPDATE jobs SET crashes=$1", {}, true};

TEST_F(LostWorkers, LetOthersRunWhenTheyHadToRunAlone_G15) {
    const int64_t suspect = add_job("suspect");
    store.write([&](Transaction& tx) { tx.run(test_crashes, {crashes_before_probation}); });
    const auto probation = std::make_shared<Probation>();
    const auto runner = start(
        "work",
        [&](ClaimedJob& job) {
            if (job.payload == "suspect") hang.here();
            end(job);
        },
        probation);
    hang.give_up();
    ASSERT_TRUE(becomes(suspect, "ready"));
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(becomes(add_job("next"), "done"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 30s) << "35 s is the longest wait for it";
    hang.let_go();
}

// The one that asked is lost, and another has it look again later.
TEST_F(LostWorkers, AskAgainLaterWhatBecameOfAMessage_F41) {
    channel->can.look_up = true;
    channel->look_up_answer = [&](const OutboundMessage&) -> std::optional<SendResult> {
        hang.here();
        return std::nullopt;
    };
    channel->answers(SendResult::unknown("500", "half-way"));
    const QueuedMessage queued = queue("+15558675310");
    ASSERT_TRUE(send_next());
    clock.advance(15s);
    UnknownResolver resolver{context, [&](const std::string&) { return gate; }};
    ReplaceableThread thread;
    std::atomic<int> steps{0};
    std::latch replaced{1};
    thread.start("resolver", [&] {
        if (++steps > 1) return replaced.count_down();
        resolver.step();
    });
    hang.give_up();
    replaced.wait();
    EXPECT_EQ(job_state(queued.job_id), "unknown");
    EXPECT_EQ(job_run_at(queued.job_id), clock.now_ms() + 15'000);
    hang.let_go();
    thread.join();
}

}  // namespace
}  // namespace patchbay
