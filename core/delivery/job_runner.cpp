#include "delivery/job_runner.hpp"

#include <pthread.h>

#include <deque>
#include <map>
#include <random>
#include <thread>

#include "base/log.hpp"
#include "base/replaceable_thread.hpp"
#include "base/work_record.hpp"
#include "delivery/verdict.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr auto poll_interval = 1s;
constexpr auto heartbeat_interval = 5s;
constexpr auto pause_between_owed_writes = 500ms;
constexpr int64_t runs_of_a_killer = 2;

const Family<Histogram> wait_seconds{"patchbay_job_wait_seconds",
                                     "From the time at which a job was due until it was claimed.",
                                     {"channel"}};

struct Task {
    ClaimedJob job;
    Steady::time_point start;
};

struct Held {
    int64_t token = 0;
    std::shared_ptr<HeldLease> lease;
    std::optional<Steady::time_point> begun;
    bool abandoned = false;  ///< Its handler overran; it is renewed no more.
};

bool may_pass(const StoreError& error) {
    return error.kind == StoreError::Kind::unavailable || error.kind == StoreError::Kind::full;
}

}  // namespace

double random_jitter() {
    thread_local std::mt19937 engine{std::random_device{}()};
    return std::uniform_real_distribution<double>{-1, 1}(engine);
}

void write_owed(Store& store, const ClaimedJob& job, const Store::Work& work) {
    for (;;) {
        try {
            return store.write(work, Urgency::owed);
        } catch (const StoreError& error) {
            if (!may_pass(error)) throw;
        }
        if (job.lease->lost()) throw LeaseLost(job.id);
        std::this_thread::sleep_for(pause_between_owed_writes);
    }
}

struct JobRunner::Impl {
    Impl(Store& store_, Ids& ids_, RunnerOptions options_, Handler handler_,
         std::shared_ptr<Gate> gate_)
        : store(store_),
          ids(ids_),
          options(std::move(options_)),
          handler(std::move(handler_)),
          gate(std::move(gate_)) {}

    void dispatch();
    Steady::time_point claim(bool was_poked);
    std::vector<ClaimedJob> claim_due(unsigned count, bool was_poked);
    void hand_out(std::vector<ClaimedJob> jobs);
    void heartbeat();
    void abandon_overdue();
    void work();
    bool wait_for_start(std::unique_lock<std::mutex>& lock, const Task& task);
    void run(ClaimedJob& job);
    template <class Work>
    void guarded(const ClaimedJob& job, Work&& work);
    void end_of(int64_t job_id);
    ClaimedJob taken_over(ClaimedJob& job);
    void end_for_lost(const ClaimedJob& job);
    void quarantine(const ClaimedJob& job);
    void fail(const ClaimedJob& job, std::exception_ptr thrown);
    StopReport stop(milliseconds grace);
    size_t hand_back(const std::map<int64_t, Held>& jobs);

    unsigned busy() const;  // With the mutex held, as the next two.
    unsigned begun() const;
    unsigned places() const;

    Store& store;
    Ids& ids;
    const RunnerOptions options;
    const Handler handler;
    const std::shared_ptr<Gate> gate;

    mutable std::mutex mutex;
    std::condition_variable poked_or_due;      // For the dispatcher.
    std::condition_variable tasks_changed;     // For the workers.
    std::condition_variable handler_returned;  // Or a claim ended.
    std::deque<Task> tasks;
    std::map<int64_t, Held> held;  // Claimed and not ended, by job id.
    unsigned most_workers = options.workers;
    unsigned idle = 0, lost = 0;
    bool poked = true, claiming = false, stopping = false, ended = false, started = false;
    std::vector<std::unique_ptr<ReplaceableThread>> workers;
    std::thread dispatcher;

    std::atomic<uint64_t> claimed{0}, finished{0}, failed{0}, lease_lost{0};
};

unsigned JobRunner::Impl::busy() const {
    return static_cast<unsigned>(std::count_if(
        held.begin(), held.end(), [](const auto& entry) { return !entry.second.abandoned; }));
}

unsigned JobRunner::Impl::begun() const {
    return static_cast<unsigned>(std::count_if(held.begin(), held.end(), [](const auto& entry) {
        return entry.second.begun.has_value();
    }));
}

unsigned JobRunner::Impl::places() const {
    return lost > options.lost_workers_allowed ? 0 : most_workers;
}

void JobRunner::Impl::dispatch() {
    auto next_heartbeat = Steady::now() + heartbeat_interval;
    auto next_look = Steady::now();
    for (;;) {
        bool was_poked = false, claims = false;
        {
            std::unique_lock lock{mutex};
            poked_or_due.wait_until(lock, std::min(next_heartbeat, next_look),
                                    [this] { return poked || ended; });
            if (ended) return;
            was_poked = std::exchange(poked, false);
            claims = claiming = !stopping;
        }
        if (Steady::now() >= next_heartbeat) {
            heartbeat();
            next_heartbeat = Steady::now() + heartbeat_interval;
        }
        abandon_overdue();
        next_look = claims ? claim(was_poked) : next_heartbeat;
        const std::lock_guard lock{mutex};
        claiming = false;
        handler_returned.notify_all();
    }
}

// Answers when to look again unless somebody pokes.
Steady::time_point JobRunner::Impl::claim(bool was_poked) {
    const auto next_poll = Steady::now() + poll_interval;
    unsigned busy_now = 0, free = 0;
    {
        const std::lock_guard lock{mutex};
        busy_now = busy();
        free = places() > busy_now ? places() - busy_now : 0;
    }
    if (free == 0) return next_poll;
    unsigned count = free;
    if (gate) {
        const Gate::Answer answer = gate->may_claim(free, busy_now);
        count = answer.count;
        if (count == 0) {
            const auto wait = answer.ask_again - store.clock().steady();
            return Steady::now() + std::clamp<Steady::duration>(wait, 1ms, poll_interval);
        }
    }
    try {
        std::vector<ClaimedJob> jobs = claim_due(count, was_poked);
        const bool may_be_more = jobs.size() == count;
        hand_out(std::move(jobs));
        return may_be_more ? Steady::now() : next_poll;
    } catch (const std::exception& error) {
        log_warn("delivery", "jobs could not be claimed",
                 {{"queue", options.queue}, {"error", error.what()}});
        return next_poll;
    }
}

std::vector<ClaimedJob> JobRunner::Impl::claim_due(unsigned count, bool was_poked) {
    const TimeMs now = store.clock().now_ms();
    // An idle queue costs a read a second, not a turn of the writer.
    const bool is_due =
        was_poked || store.read([&](Session& s) { return has_due_job(s, options.queue, now); });
    if (!is_due) return {};
    const auto held_until = store.clock().steady() + job_lease;
    return store.write([&](Transaction& tx) {
        return claim_jobs(tx, {options.queue, options.owner, count}, now, held_until);
    });
}

void JobRunner::Impl::hand_out(std::vector<ClaimedJob> jobs) {
    claimed += jobs.size();
    Histogram& wait = wait_seconds.with({options.queue});
    for (const ClaimedJob& job : jobs) wait.observe(job.waited);
    const std::lock_guard lock{mutex};
    for (ClaimedJob& job : jobs) {
        const auto start = gate ? gate->take() : store.clock().steady();
        held[job.id] = {job.token, job.lease, std::nullopt, false};
        tasks.push_back({std::move(job), start});
        if (idle < tasks.size()) {
            workers.push_back(std::make_unique<ReplaceableThread>());
            workers.back()->start("job-worker", [this] { work(); });
        }
        tasks_changed.notify_one();
    }
}

void JobRunner::Impl::heartbeat() {
    std::map<int64_t, Held> renewing;
    {
        const std::lock_guard lock{mutex};
        renewing = held;
    }
    std::erase_if(renewing, [](const auto& entry) { return entry.second.abandoned; });
    if (renewing.empty()) return;
    const TimeMs now = store.clock().now_ms();
    const auto until = store.clock().steady() + job_lease;
    try {
        const auto alive = store.write(
            [&](Transaction& tx) {
                std::vector<bool> answers;
                for (const auto& [id, job] : renewing) {
                    answers.push_back(patchbay::heartbeat(tx, id, job.token, now));
                }
                return answers;
            },
            Urgency::owed);
        size_t i = 0;
        for (const auto& [id, job] : renewing) {
            alive[i++] ? job.lease->renew(until) : job.lease->lose();
        }
    } catch (const std::exception& error) {
        log_warn("delivery", "leases could not be renewed",
                 {{"queue", options.queue}, {"error", error.what()}});
    }
}

void JobRunner::Impl::abandon_overdue() {
    const std::lock_guard lock{mutex};
    for (auto& [id, job] : held) {
        if (job.abandoned || !job.begun) continue;
        if (store.clock().steady() - *job.begun <= options.longest_run) continue;
        job.abandoned = true;
        ++lost;
        log_error("delivery", "a handler does not return, its worker is given up",
                  {{"queue", options.queue}, {"job", std::to_string(id)}});
    }
}

void JobRunner::Impl::work() {
    std::unique_lock lock{mutex};
    for (;;) {
        ++idle;
        tasks_changed.wait(lock, [this] { return ended || (!tasks.empty() && !stopping); });
        --idle;
        if (ended) return;
        Task task = std::move(tasks.front());
        tasks.pop_front();
        if (!wait_for_start(lock, task)) continue;
        held[task.job.id].begun = store.clock().steady();
        lock.unlock();
        run(task.job);
        if (this_thread_is_lost()) return;
        lock.lock();
        const bool was_replaced = held[task.job.id].abandoned;
        end_of(task.job.id);
        if (was_replaced) return;
    }
}

// With the mutex held.
void JobRunner::Impl::end_of(int64_t job_id) {
    held.erase(job_id);
    poked = true;
    poked_or_due.notify_one();
    handler_returned.notify_all();
}

// False: the runner stops; the job stays among the held and is handed back.
bool JobRunner::Impl::wait_for_start(std::unique_lock<std::mutex>& lock, const Task& task) {
    while (!stopping) {
        const auto left = task.start - store.clock().steady();
        if (left <= Steady::duration::zero()) return true;
        tasks_changed.wait_for(lock, left);
    }
    return false;
}

void JobRunner::Impl::run(ClaimedJob& job) {
    const LogScope scope({}, job.trace);
    std::optional<Probation::Turn> turn;
    if (options.probation)
        turn.emplace(*options.probation, job.crashes >= crashes_before_probation);
    const Abandonable here{[&](Rest& rest) {
        if (turn) turn->end();
        rest.emplace_back([this, taken = taken_over(job)] { end_for_lost(taken); });
    }};
    const AtWork at{WorkKind::job, job.id};
    guarded(job, [&] {
        const bool is_poison = job.crashes >= crashes_before_quarantine && job.kind != "send";
        is_poison ? quarantine(job) : handler(job);
    });
}

// While the lost thread hangs: from here on it can write nothing.
ClaimedJob JobRunner::Impl::taken_over(ClaimedJob& job) {
    ClaimedJob taken = job;
    taken.lease = std::make_shared<HeldLease>(job.lease->until());
    job.lease->give_up();
    const std::lock_guard lock{mutex};
    const auto ours = held.find(job.id);
    if (ended || ours == held.end()) {
        taken.lease->give_up();  // The next start finds it.
    } else {
        ours->second.lease = taken.lease;
    }
    return taken;
}

void JobRunner::Impl::end_for_lost(const ClaimedJob& job) {
    const LogScope scope({}, job.trace);
    guarded(job, [&] {
        if (job.if_lost) return job.if_lost(job);
        throw Error(ErrorKind::timed_out, "the plugin did not answer in time");
    });
    const std::lock_guard lock{mutex};
    end_of(job.id);
}

// Whatever is thrown in it, the job goes its way.
template <class Work>
void JobRunner::Impl::guarded(const ClaimedJob& job, Work&& work) {
    try {
        work();
        if (!this_thread_is_lost()) ++finished;
    } catch (const LeaseLost&) {
        if (!this_thread_is_lost()) ++lease_lost;
    } catch (...) {
        if (this_thread_is_lost()) return;
        ++failed;
        try {
            fail(job, std::current_exception());
        } catch (const LeaseLost&) {
            ++lease_lost;
        } catch (const std::exception& error) {
            // Renewed no more, so that rescue finds it.
            log_error("delivery", "the end of a job could not be written",
                      {{"queue", options.queue}, {"error", error.what()}});
        }
    }
}

// A send is ended by its sender, with its message.
void JobRunner::Impl::quarantine(const ClaimedJob& job) {
    const TimeMs now = store.clock().now_ms();
    write_owed(store, job, [&](Transaction& tx) {
        touch_lane(tx, job.lane);
        end_job(tx, job, "dead", quarantine_reason, now);
    });
}

void JobRunner::Impl::fail(const ClaimedJob& job, std::exception_ptr thrown) {
    TryResult result = classify(std::move(thrown));
    if (job.sending) {
        result.verdict = Verdict::unknown;
    } else if (result.verdict == Verdict::unknown) {
        result.verdict = Verdict::internal;  // Nothing can have gone out: a failed try.
    }
    // What is no send may run again; not a third time what ended its plugin's process twice.
    const bool is_killer = !job.sending && job.kind != "send" && result.code == process_died;
    if (is_killer) result.verdict = Verdict::internal;
    log_warn("delivery", "a job failed",
             {{"queue", options.queue},
              {"job", std::to_string(job.id)},
              {"attempt", std::to_string(job.attempt)},
              {"error", result.text()}});
    const TimeMs now = store.clock().now_ms();
    const NextStep step = next_step(result, {job.attempt, job.max_attempts, now, random_jitter()});
    write_owed(store, job, [&](Transaction& tx) {
        touch_lane(tx, job.lane);
        if (is_killer && job.attempt >= runs_of_a_killer) {
            end_job(tx, job, "dead", result.text(), now);
        } else if (step.job == NextStep::Job::ready) {
            retry_job(tx, job, step.run_at, step.spend_attempt, result.text());
        } else if (step.job == NextStep::Job::unknown) {
            leave_unknown(tx, job, step.run_at, result.text());
        } else {
            end_job(tx, job, "dead", result.text(), now);
        }
        record_attempt(tx, ids,
                       {job.id, job.attempt, options.owner, std::string{word(result.verdict)}, now,
                        now, std::nullopt, 0, result.text()});
    });
}

StopReport JobRunner::Impl::stop(milliseconds grace) {
    std::map<int64_t, Held> left;
    StopReport report;
    {
        std::unique_lock lock{mutex};
        stopping = true;
        tasks_changed.notify_all();
        handler_returned.wait_for(lock, grace, [this] { return begun() == 0 && !claiming; });
        handler_returned.wait(lock, [this] { return !claiming; });
        left = held;
        report.left_running = begun();
        tasks.clear();
    }
    report.handed_back = hand_back(left);
    {
        const std::lock_guard lock{mutex};
        ended = true;
        for (auto& [id, job] : held) job.lease->lose();
        std::erase_if(held, [](const auto& entry) { return !entry.second.begun; });
    }
    tasks_changed.notify_all();
    poked_or_due.notify_all();
    if (dispatcher.joinable()) dispatcher.join();
    return report;
}

size_t JobRunner::Impl::hand_back(const std::map<int64_t, Held>& jobs) {
    if (jobs.empty()) return 0;
    try {
        return store.write(
            [&](Transaction& tx) {
                size_t count = 0;
                for (const auto& [id, job] : jobs) count += give_back(tx, id, job.token) ? 1 : 0;
                return count;
            },
            Urgency::owed);
    } catch (const std::exception& error) {
        log_warn("delivery", "jobs could not be handed back, the next start takes them",
                 {{"queue", options.queue}, {"error", error.what()}});
        return 0;
    }
}

JobRunner::JobRunner(Store& store, Ids& ids, RunnerOptions options, Handler handler,
                     std::shared_ptr<Gate> gate)
    : impl_(std::make_unique<Impl>(store, ids, std::move(options), std::move(handler),
                                   std::move(gate))) {}

JobRunner::~JobRunner() {
    stop(0ms);
    impl_->workers.clear();
}

void JobRunner::start() {
    const std::lock_guard lock{impl_->mutex};
    if (impl_->started) return;
    impl_->started = true;
    impl_->dispatcher = std::thread([impl = impl_.get()] { impl->dispatch(); });
    pthread_setname_np(impl_->dispatcher.native_handle(), "job-dispatcher");
}

void JobRunner::set_workers(unsigned workers) {
    const std::lock_guard lock{impl_->mutex};
    impl_->most_workers = workers;
}

void JobRunner::wake() {
    const std::lock_guard lock{impl_->mutex};
    impl_->poked = true;
    impl_->poked_or_due.notify_one();
}

StopReport JobRunner::stop(milliseconds grace) {
    {
        const std::lock_guard lock{impl_->mutex};
        if (impl_->ended) return {};
    }
    return impl_->stop(grace);
}

JobRunner::Counters JobRunner::counters() const {
    const std::lock_guard lock{impl_->mutex};
    return {impl_->claimed, impl_->finished, impl_->failed, impl_->lease_lost, impl_->lost};
}

const std::string& JobRunner::queue() const { return impl_->options.queue; }

}  // namespace patchbay
