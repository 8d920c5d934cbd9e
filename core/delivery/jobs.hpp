// Jobs: what the hub owes, one row each, and the transitions between their states (guarantees
// section 3). Every function is one part of the caller's transaction; every result is fenced by the
// token of the claim.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "store/store.hpp"

namespace patchbay {

inline constexpr std::chrono::seconds job_lease{30};
inline constexpr std::chrono::seconds least_lease_to_send{10};
inline constexpr std::chrono::seconds wait_for_evidence{15};

/// A place in a lane. Taken before the conversation's row is touched (data-model.md, lock order).
struct LanePlace {
    std::string lane;
    int64_t seq = 0;
};
LanePlace lock_lane(Transaction& tx, const std::string& lane);

/// Takes the lane for finishing one of its jobs. An empty name is no lane: nothing happens.
void touch_lane(Transaction& tx, const std::string& lane);

struct NewJob {
    std::string queue;  ///< A channel instance, flow, rules, media, webhooks, ...
    std::string ukey;   ///< The same effect asked for twice is one job, for as long as it is kept.
    std::string kind;   ///< "send" for messages
    std::string ref;    ///< Message id; may be empty.
    std::string payload, trace;
    int64_t priority = 5;  ///< Lower runs first.
    TimeMs run_at = 0;     ///< 0: now
    std::optional<TimeMs> valid_until;
};

struct EnqueuedJob {
    int64_t id = 0;
    bool ready = false;  ///< false: it waits behind others of its lane.
};

/// nullopt: a job with this ukey is there already. Without a place the job is unordered. After the
/// commit wake its queue.
std::optional<EnqueuedJob> enqueue_job(Transaction& tx, Ids& ids, const NewJob& job,
                                       const std::optional<LanePlace>& place, TimeMs now);

/// What the holder of a job knows about its lease; renewed by the runner's heartbeat while a
/// handler works. [any thread]
class HeldLease {
public:
    using SteadyTime = std::chrono::steady_clock::time_point;
    explicit HeldLease(SteadyTime until) : until_(until) {}
    SteadyTime until() const { return until_; }
    void renew(SteadyTime until) { until_ = until; }
    void lose() { lost_ = true; }
    bool lost() const { return lost_; }
    /// The thread that had it is lost: another one ends the job, under a lease of its own.
    void give_up() { given_up_ = true; }
    bool given_up() const { return given_up_; }

private:
    std::atomic<SteadyTime> until_;
    std::atomic<bool> lost_{false}, given_up_{false};
};

struct ClaimedJob {
    int64_t id = 0;
    std::string queue, lane, kind, ref, payload, trace;  ///< `lane` is empty for an unordered job.
    int64_t attempt = 1, max_attempts = 12, crashes = 0;
    std::optional<TimeMs> valid_until;
    int64_t token = 0;
    std::shared_ptr<HeldLease> lease;
    std::chrono::milliseconds waited{0};  ///< Since it was due.
    bool sending = false;  ///< mark_sending was committed: from here on only the result may end it.
    /// How another thread ends the job when the handler's is lost in a plugin; owns what it uses.
    /// Empty: it is a failed try.
    std::function<void(const ClaimedJob&)> if_lost{};
};

/// The lease passed to someone else: nothing may be written, the caller's transaction rolls back.
struct LeaseLost : std::runtime_error {
    explicit LeaseLost(int64_t job_id);
};

struct Claim {
    std::string queue, owner;
    size_t count = 1;
};
/// At most `count` due jobs, oldest first; `attempt` is raised already. `held_until` is the lease's
/// end on the steady clock.
std::vector<ClaimedJob> claim_jobs(Transaction& tx, const Claim& claim, TimeMs now,
                                   HeldLease::SteadyTime held_until);
bool has_due_job(Session& session, const std::string& queue, TimeMs now);

/// Before the first byte to a provider. Throws LeaseLost when less than 10 s of the lease are left.
void mark_sending(Transaction& tx, const ClaimedJob& job, TimeMs now);
/// False: the lease is lost.
bool heartbeat(Transaction& tx, int64_t job_id, int64_t token, TimeMs now);

/// Ends the job as done, dead or cancelled and promotes the next of its lane. The caller has called
/// touch_lane before anything else. True: another job of the lane became ready. Throws LeaseLost.
bool end_job(Transaction& tx, const ClaimedJob& job, const std::string& state,
             const std::string& error, TimeMs now);
/// `spend_attempt` false gives the attempt back. Throws LeaseLost.
void retry_job(Transaction& tx, const ClaimedJob& job, TimeMs run_at, bool spend_attempt,
               const std::string& error);
/// To be resolved from `run_at` on. Throws LeaseLost.
void leave_unknown(Transaction& tx, const ClaimedJob& job, TimeMs run_at, const std::string& error);
/// At stop, for a job whose first byte has not left. False: it is sending, or no longer ours.
bool give_back(Transaction& tx, int64_t job_id, int64_t token);

/// The next waiting job of a lane becomes ready when nothing stands before it.
bool promote_next(Transaction& tx, const std::string& lane);
/// Nothing of the lane runs until unpark_lane. For dead jobs of channels whose policy is `park`.
void park_lane(Transaction& tx, const std::string& lane, const std::string& reason);
/// True: a job became ready.
bool unpark_lane(Transaction& tx, const std::string& lane);

/// False: running or ended. Call touch_lane first, promote_next afterwards. The message is the
/// caller's.
bool cancel_job(Transaction& tx, int64_t job_id, TimeMs now);
/// A dead job gets a new place at the end of its lane and all its attempts. False: it is not dead.
bool revive_job(Transaction& tx, int64_t job_id, const std::string& lane, TimeMs now,
                std::optional<TimeMs> valid_until);

struct RescuedJob {
    int64_t id = 0;
    bool unknown = false;  ///< false: ready again
    std::string ref, kind, queue;
    int64_t attempt = 0;
};
/// Takes back every lease that ended before now.
std::vector<RescuedJob> rescue_jobs(Transaction& tx, TimeMs now);
/// Ends the leases of a process that is gone, so that rescue_jobs finds them. Its jobs' crash
/// counters rise (G15).
size_t mark_owner_dead(Transaction& tx, const std::string& owner);

/// One try, for the delivery page. `error` is redacted here and cut to 2 KiB.
struct AttemptRecord {
    int64_t job_id = 0, attempt = 0;
    std::string owner,
        result;  ///< `result`: accepted, retry_later, not_sent, unknown, refused, ...
    TimeMs started_at = 0, ended_at = 0;
    std::optional<int64_t> http_status;
    int64_t ms = 0;
    std::string error;
};
void record_attempt(Transaction& tx, Ids& ids, const AttemptRecord& attempt);

}  // namespace patchbay
