// Runs the jobs of one queue on workers of its own, so that a slow queue holds up no other
// (guarantees section 8, bulkheads).
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "delivery/jobs.hpp"
#include "delivery/probation.hpp"
#include "store/store.hpp"

namespace patchbay {

/// Decides when jobs may start. Asked and told on several threads; implementations lock.
class Gate {
public:
    struct Answer {
        unsigned count = 0;  ///< How many may be claimed now.
        std::chrono::steady_clock::time_point
            ask_again;  ///< When `count` is 0; the runner waits a second at most.
    };
    virtual ~Gate() = default;
    virtual Answer may_claim(unsigned free_workers, unsigned busy_workers) = 0;
    /// One was claimed; answers when it may start.
    virtual std::chrono::steady_clock::time_point take() = 0;
};

struct RunnerOptions {
    std::string queue;
    std::string owner;                              ///< This process, as in table workers.
    unsigned workers = 8;                           ///< Threads; made when they are first needed.
    std::chrono::milliseconds longest_run{90'000};  ///< Then the worker counts as lost: its lease
                                                    ///< runs out and another takes its place.
    std::shared_ptr<Probation> probation;  ///< Shared by the runners of a process; may be nullptr.
    unsigned lost_workers_allowed =
        4;  ///< After so many the queue stands still until the process starts again.
};

struct StopReport {
    size_t handed_back =
        0;  ///< Claimed, not begun or not sending: ready again, attempt given back.
    size_t left_running =
        0;  ///< Handlers that had not returned; their jobs are recovered at the next start.
};

/// [any thread]
class JobRunner {
public:
    /// Works on one job and writes its end (end_job, retry_job, leave_unknown) in the transaction
    /// of its effects. LeaseLost: counted, the work is dropped. Any other exception is a failed
    /// try: retried with the delays of retry_delay, `dead` after the last; when the job was marked
    /// as sending, its outcome is unknown. When its thread is lost in a plugin another one takes
    /// its place and ends the job, by ClaimedJob::if_lost or as a failed try.
    using Handler = std::function<void(ClaimedJob&)>;

    JobRunner(Store& store, Ids& ids, RunnerOptions options, Handler handler,
              std::shared_ptr<Gate> gate = nullptr);
    ~JobRunner();  ///< stop() without grace, then waits for the handlers.

    void start();
    /// After a commit that made jobs ready. A hint only: the queue is looked at every second
    /// anyway.
    void wake();
    /// How many handlers run at once from the next claim on.
    void set_workers(unsigned workers);
    /// Claims nothing more, waits up to `grace` for the handlers, hands back the rest.
    StopReport stop(std::chrono::milliseconds grace);

    struct Counters {
        uint64_t claimed = 0, finished = 0, failed = 0, lease_lost = 0, lost_workers = 0;
    };
    Counters counters() const;
    const std::string& queue() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Commits what is owed for a job: on a full disk, or while the database is away, tries again every
/// half second for as long as the lease is ours. Throws LeaseLost, and whatever else `work` throws.
void write_owed(Store& store, const ClaimedJob& job, const Store::Work& work);

/// From -1 to 1, evenly. [any thread]
double random_jitter();

}  // namespace patchbay
