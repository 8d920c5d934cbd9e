// The state machine of jobs as a model in memory, and the statements that carry it out: random
// events go to both, and both must agree about every job after every event.
#include <map>
#include <random>

#include "delivery/delivery_fixture.hpp"
#include "delivery/unknown.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

struct ModelJob {
    int64_t id = 0;
    std::string lane;
    int64_t seq = 0;
    std::string state;
    int64_t attempt = 0;
    TimeMs run_at = 0, lease_until = 0;
    bool sending = false;
    bool operator==(const ModelJob&) const = default;
    bool is_active() const { return state == "ready" || state == "running" || state == "unknown"; }
};

class Model {
public:
    std::map<int64_t, ModelJob> jobs;
    std::set<std::string> parked;

    bool has_head(const std::string& lane) const {
        return std::any_of(jobs.begin(), jobs.end(), [&](const auto& entry) {
            return entry.second.lane == lane && entry.second.is_active();
        });
    }
    bool has_waiting(const std::string& lane) const {
        return std::any_of(jobs.begin(), jobs.end(), [&](const auto& entry) {
            return entry.second.lane == lane && entry.second.state == "waiting";
        });
    }
    std::string first_state(const std::string& lane) const {
        if (lane.empty()) return "ready";
        const bool waits = has_head(lane) || has_waiting(lane) || parked.contains(lane);
        return waits ? "waiting" : "ready";
    }
    size_t live() const {
        return static_cast<size_t>(std::count_if(jobs.begin(), jobs.end(), [](const auto& entry) {
            return entry.second.is_active() || entry.second.state == "waiting";
        }));
    }
    void promote(const std::string& lane) {
        if (lane.empty() || has_head(lane) || parked.contains(lane)) return;
        ModelJob* next = nullptr;
        for (auto& [id, job] : jobs) {
            if (job.lane != lane || job.state != "waiting") continue;
            if (!next || job.seq < next->seq) next = &job;
        }
        if (next) next->state = "ready";
    }
    void end(ModelJob& job, const std::string& state) {
        job.state = state;
        job.sending = false;
        promote(job.lane);
    }
    void rescue(TimeMs now) {
        for (auto& [id, job] : jobs) {
            if (job.state != "running" || job.lease_until >= now) continue;
            job.state = job.sending ? "unknown" : "ready";
            job.run_at = job.sending ? now + 15'000 : now;
            job.sending = false;
        }
    }
    std::vector<int64_t> due(TimeMs now, size_t count) const {
        std::vector<const ModelJob*> ready;
        for (const auto& [id, job] : jobs) {
            if (job.state == "ready" && job.run_at <= now) ready.push_back(&job);
        }
        std::sort(ready.begin(), ready.end(), [](const ModelJob* a, const ModelJob* b) {
            return std::tie(a->run_at, a->id) < std::tie(b->run_at, b->id);
        });
        std::vector<int64_t> ids;
        for (size_t i = 0; i < std::min(count, ready.size()); ++i) ids.push_back(ready[i]->id);
        std::sort(ids.begin(), ids.end());
        return ids;
    }
};

const Statement test_all_jobs{
    "test.all_jobs", "SELECT id,state,attempt,run_at,phase,lane FROM jobs", {}, true};

const Statement test_lane_tail{
    "test.lane_tail", "SELECT tail_seq FROM lanes WHERE lane=$1", {"PRIMARY"}};

const Statement test_forget{
    "test.forget", "DELETE FROM jobs WHERE state IN ('done','cancelled','dead')", {}, true};

class JobModel : public DeliveryTest {
protected:
    size_t pick(size_t count) {
        return std::uniform_int_distribution<size_t>(0, count - 1)(random);
    }
    bool chance(int percent) { return pick(100) < static_cast<size_t>(percent); }
    TimeMs now() const { return clock.now_ms(); }
    std::string some_lane() {
        const size_t n = pick(7);
        return n == 0 ? std::string{} : "lane" + std::to_string(n);
    }

    void enqueue(Transaction& tx) {
        const bool picks_old = chance(5) && next_ukey > 0;
        const std::string ukey = std::to_string(picks_old ? pick(next_ukey) : next_ukey++);
        const bool repeats = ukeys.contains(ukey) && model.jobs.contains(ukeys[ukey]);
        const std::string lane = some_lane();
        std::optional<LanePlace> place;
        if (!lane.empty()) place = lock_lane(tx, lane);
        const TimeMs run_at = chance(20) ? now() + 5'000 : now();
        const auto made =
            enqueue_job(tx, ids, {.queue = "sms", .ukey = ukey, .kind = "test", .run_at = run_at},
                        place, now());
        ASSERT_EQ(made.has_value(), !repeats);
        if (!made) return;
        ukeys[ukey] = made->id;
        const std::string state = model.first_state(lane);
        EXPECT_EQ(made->ready, state == "ready");
        model.jobs[made->id] = {made->id, lane, place ? place->seq : 0, state, 0, run_at, 0, false};
    }
    void claim_some(Transaction& tx) {
        const size_t count = 1 + pick(4);
        std::vector<int64_t> expected = model.due(now(), count), seen;
        for (ClaimedJob& job : claim_jobs(tx, {"sms", "me", count}, now(), {})) {
            seen.push_back(job.id);
            ModelJob& known = model.jobs.at(job.id);
            known.state = "running";
            known.attempt += 1;
            known.lease_until = now() + 30'000;
            EXPECT_EQ(job.attempt, known.attempt);
            held.push_back(std::move(job));
        }
        EXPECT_EQ(seen, expected);
    }
    // A worker that holds, or thinks it holds, a job. Its token says which.
    void work(Transaction& tx) {
        if (held.empty()) return;
        const size_t at = pick(held.size());
        ClaimedJob job = held[at];
        ModelJob& known = model.jobs.at(job.id);
        const bool owns = known.state == "running" && newest_token(job.id) == job.token;
        const size_t what = pick(7);
        const bool keeps = what <= 1 && owns;
        if (!keeps) held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
        const auto fenced = [&](auto&& act) {
            if (owns) return act();
            EXPECT_THROW(act(), LeaseLost) << "a stale worker wrote";
        };
        touch_lane(tx, job.lane);
        switch (what) {
            case 0:
                EXPECT_EQ(heartbeat(tx, job.id, job.token, now()), owns);
                if (owns) known.lease_until = now() + 30'000;
                return;
            case 1:
                if (owns && known.lease_until > now() + 10'000) {
                    mark_sending(tx, job, now());
                    known.sending = true;
                } else {
                    EXPECT_THROW(mark_sending(tx, job, now()), LeaseLost);
                }
                return;
            case 2:
                fenced([&] { retry_job(tx, job, now() + 5'000, chance(70), "later"); });
                if (owns) retried(tx, known);
                return;
            case 3:
                fenced([&] { leave_unknown(tx, job, now() + 15'000, "lost"); });
                if (owns)
                    known = {known.id,      known.lane,     known.seq, "unknown",
                             known.attempt, now() + 15'000, 0,         false};
                return;
            case 4: {
                const bool given = give_back(tx, job.id, job.token);
                EXPECT_EQ(given, owns && !known.sending);
                if (given) {
                    known.state = "ready";
                    known.attempt -= 1;
                }
                if (!given && owns) held.push_back(job);
                return;
            }
            default:
                const std::string state = what == 5 ? "done" : "dead";
                fenced([&] { end_job(tx, job, state, "", now()); });
                if (owns) model.end(known, state);
        }
    }
    void retried(Transaction& tx, ModelJob& known) {
        known.state = "ready";
        known.sending = false;
        known.run_at = now() + 5'000;
        known.attempt = tx.first(sql::job_get, {known.id})->number(7);
        EXPECT_GE(known.attempt, 0);
    }
    int64_t newest_token(int64_t id) const {
        int64_t newest = 0;
        for (const ClaimedJob& job : held) {
            if (job.id == id) newest = std::max(newest, job.token);
        }
        return newest;
    }
    void outside(Transaction& tx) {
        if (model.jobs.empty()) return;
        auto at = model.jobs.begin();
        std::advance(at, pick(model.jobs.size()));
        ModelJob& job = at->second;
        touch_lane(tx, job.lane);
        const bool may = job.state == "waiting" || job.state == "ready" || job.state == "unknown";
        if (chance(80)) {
            EXPECT_EQ(revive_job(tx, job.id, job.lane, now(), std::nullopt), job.state == "dead");
            if (job.state != "dead") return;
            const auto tail = tx.first(test_lane_tail, {job.lane});
            job = {job.id, job.lane, tail ? tail->number(0) : 0, "waiting", 0, now(), 0, false};
            if (job.lane.empty()) job.state = "ready";
            model.promote(job.lane);
            return;
        }
        EXPECT_EQ(cancel_job(tx, job.id, now()), may);
        promote_next(tx, job.lane);
        if (may) model.end(job, "cancelled");
    }
    void resolve(Transaction& tx) {
        for (const UnknownJob& job : claim_unknown(tx, "resolver", 2, now())) {
            ModelJob& known = model.jobs.at(job.id);
            ASSERT_EQ(known.state, "unknown");
            known.run_at = now() + 45'000;
            if (chance(30)) continue;  // It died; another takes over.
            touch_lane(tx, job.lane);
            if (chance(50)) {
                tx.run(sql::unknown_resolve_resend, {now(), Value{}, job.id, job.token});
                known.state = "ready";
                known.run_at = now();
            } else {
                tx.run(sql::unknown_resolve_end,
                       {std::string{"done"}, now(), Value{}, job.id, job.token});
                promote_next(tx, job.lane);
                model.end(known, "done");
            }
        }
    }
    void park(Transaction& tx) {
        const std::string lane = some_lane();
        if (lane.empty()) return;
        if (model.parked.erase(lane) > 0) {
            unpark_lane(tx, lane);
            model.promote(lane);
        } else if (tx.first(test_lane_tail, {lane}) && chance(20)) {
            park_lane(tx, lane, "by the test");
            model.parked.insert(lane);
        }
    }
    void step(Transaction& tx) {
        const size_t what = pick(100);
        // A long backlog finds nothing that a short one does not.
        if (what < 25 && model.live() < 60) return enqueue(tx);
        if (what < 45) return claim_some(tx);
        if (what < 80) return work(tx);
        if (what < 85) return outside(tx);
        if (what < 90) return resolve(tx);
        if (what < 93) return park(tx);
        clock.advance(std::chrono::milliseconds{1 + pick(8'000)});
        rescue_jobs(tx, now());
        model.rescue(now());
    }
    void compare(Session& session) {
        size_t rows = 0;
        for (const Row& row : session.run(test_all_jobs)) {
            ++rows;
            const ModelJob& known = model.jobs.at(row.number(0));
            ASSERT_EQ(row.text(1), known.state) << "job " << known.id;
            ASSERT_EQ(row.number(2), known.attempt) << "job " << known.id;
            ASSERT_EQ(row.text_or(4, "") == "sending", known.sending) << "job " << known.id;
            if (known.state == "ready" || known.state == "unknown") {
                ASSERT_EQ(row.number(3), known.run_at) << "job " << known.id;
            }
        }
        ASSERT_EQ(rows, model.jobs.size());
        ASSERT_EQ(broken_invariants(session, now()), std::vector<std::string>{});
    }

    const unsigned seed = [] {
        const char* given = std::getenv("PATCHBAY_SEED");
        return given ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
    }();
    std::mt19937 random{seed};
    Model model;
    std::vector<ClaimedJob> held;
    size_t next_ukey = 0;
    std::map<std::string, int64_t> ukeys;  // To the job.
};

TEST_F(JobModel, AgreesWithTheStatementsAfterEveryRandomEvent_G5_G6) {
    SCOPED_TRACE("PATCHBAY_SEED=" + std::to_string(seed));
    RecordProperty("seed", std::to_string(seed));
    constexpr int rounds = 300, steps_in_a_round = 150;
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
        // One transaction for many events: this test is about the statements, not about the disk.
        store.write([&](Transaction& tx) {
            for (int i = 0; i < steps_in_a_round && !HasFailure(); ++i) step(tx);
            compare(tx);
        });
        // Ended jobs only make the comparison slow.
        if (round % 10 == 9) {
            clock.advance(24h * 8);
            store.write([&](Transaction& tx) {
                rescue_jobs(tx, now());
                model.rescue(now());
                tx.run(test_forget);
                std::erase_if(model.jobs, [](const auto& entry) {
                    return entry.second.state == "done" || entry.second.state == "cancelled" ||
                           entry.second.state == "dead";
                });
            });
            std::erase_if(held,
                          [&](const ClaimedJob& job) { return !model.jobs.contains(job.id); });
        }
    }
}

}  // namespace
}  // namespace patchbay
