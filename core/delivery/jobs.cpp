#include "delivery/jobs.hpp"

#include "base/log.hpp"
#include "delivery/negative_control.hpp"
#include "delivery/statements.hpp"
#include "messaging/changes.hpp"

namespace patchbay {
namespace {

constexpr size_t max_error_bytes = 2048;

TimeMs plus(TimeMs now, std::chrono::milliseconds by) { return now + by.count(); }

Value text_or_null(const std::string& text) { return text.empty() ? Value{} : Value{text}; }

std::string shortened(const std::string& error) {
    std::string text = redact(error);
    if (text.size() <= max_error_bytes) return text;
    size_t end = max_error_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    return text;
}

// Not of its claim: the result follows at once, and tells more.
void note_change(Transaction& tx, int64_t job_id, const std::string& kind) {
    if (kind == "send") tx.note(changes::delivery_changed, std::to_string(job_id));
}

// The one who ends it in a lost thread's place has the same token.
void require_not_given_up(const ClaimedJob& job) {
    if (job.lease && job.lease->given_up()) throw LeaseLost(job.id);
}

}  // namespace

LeaseLost::LeaseLost(int64_t job_id)
    : std::runtime_error("the lease of job " + std::to_string(job_id) + " is lost") {}

LanePlace lock_lane(Transaction& tx, const std::string& lane) {
    tx.change(sql::lane_lock, {lane});
    return {lane, tx.first(sql::lane_get, {lane})->number(0)};
}

void touch_lane(Transaction& tx, const std::string& lane) {
    if (!lane.empty()) tx.change(sql::lane_touch, {lane});
}

std::optional<EnqueuedJob> enqueue_job(Transaction& tx, Ids& ids, const NewJob& job,
                                       const std::optional<LanePlace>& wanted_place, TimeMs now) {
    const auto place = is_switched_off(NegativeControl::no_lanes) ? std::nullopt : wanted_place;
    const int64_t id = ids.machine_id();
    const size_t added =
        tx.change(sql::job_enqueue,
                  {id, job.queue, place ? Value{place->lane} : Value{},
                   place ? Value{place->seq} : Value{}, job.ukey, job.kind, text_or_null(job.ref),
                   text_or_null(job.payload), text_or_null(job.trace), job.priority,
                   job.run_at == 0 ? now : job.run_at, nullable(job.valid_until), now});
    if (added == 0) return std::nullopt;
    note_change(tx, id, job.kind);
    return EnqueuedJob{id, tx.first(sql::job_state, {id})->text(0) == "ready"};
}

std::vector<ClaimedJob> claim_jobs(Transaction& tx, const Claim& claim, TimeMs now,
                                   HeldLease::SteadyTime held_until) {
    std::vector<ClaimedJob> jobs;
    for (const Row& row :
         tx.run(sql::job_claim, {claim.queue, now, static_cast<int64_t>(claim.count), claim.owner,
                                 plus(now, job_lease)})) {
        ClaimedJob job;
        job.id = row.number(0);
        job.queue = claim.queue;
        job.lane = row.text_or(1, "");
        job.kind = row.text(3);
        job.ref = row.text_or(4, "");
        job.payload = row.text_or(5, "");
        job.attempt = row.number(6);
        job.token = row.number(7);
        job.trace = row.text_or(8, "");
        job.valid_until = row.maybe_number(9);
        job.max_attempts = row.number(10);
        job.crashes = row.number(11);
        job.waited = std::chrono::milliseconds{now - row.number(12)};
        job.lease = std::make_shared<HeldLease>(held_until);
        jobs.push_back(std::move(job));
    }
    // The order of RETURNING is undefined.
    std::sort(jobs.begin(), jobs.end(),
              [](const ClaimedJob& a, const ClaimedJob& b) { return a.id < b.id; });
    return jobs;
}

bool has_due_job(Session& session, const std::string& queue, TimeMs now) {
    return session.first(sql::job_peek, {queue, now}).has_value();
}

void mark_sending(Transaction& tx, const ClaimedJob& job, TimeMs now) {
    require_not_given_up(job);
    if (is_switched_off(NegativeControl::no_unknown)) return;
    if (tx.change(sql::job_sending, {job.id, job.token, plus(now, least_lease_to_send)}) == 0) {
        throw LeaseLost(job.id);
    }
}

bool heartbeat(Transaction& tx, int64_t job_id, int64_t token, TimeMs now) {
    return tx.change(sql::job_heartbeat, {plus(now, job_lease), job_id, token}) > 0;
}

bool end_job(Transaction& tx, const ClaimedJob& job, const std::string& state,
             const std::string& error, TimeMs now) {
    require_not_given_up(job);
    const Values end{state, now, text_or_null(shortened(error)), job.id, job.token};
    if (tx.change(sql::job_ack, end) == 0) throw LeaseLost(job.id);
    note_change(tx, job.id, job.kind);
    return promote_next(tx, job.lane);
}

void retry_job(Transaction& tx, const ClaimedJob& job, TimeMs run_at, bool spend_attempt,
               const std::string& error) {
    require_not_given_up(job);
    const int64_t given_back = spend_attempt ? 0 : 1;
    const Values again{run_at, given_back, text_or_null(shortened(error)), job.id, job.token};
    if (tx.change(sql::job_retry, again) == 0) {
        throw LeaseLost(job.id);
    }
    note_change(tx, job.id, job.kind);
}

void leave_unknown(Transaction& tx, const ClaimedJob& job, TimeMs run_at,
                   const std::string& error) {
    require_not_given_up(job);
    if (is_switched_off(NegativeControl::no_unknown)) {
        retry_job(tx, job, run_at, true, error);
        return;
    }
    const Values later{run_at, text_or_null(shortened(error)), job.id, job.token};
    if (tx.change(sql::job_unknown, later) == 0) {
        throw LeaseLost(job.id);
    }
    note_change(tx, job.id, job.kind);
}

bool give_back(Transaction& tx, int64_t job_id, int64_t token) {
    return tx.first(sql::job_give_back, {job_id, token}).has_value();
}

bool promote_next(Transaction& tx, const std::string& lane) {
    if (lane.empty()) return false;
    return tx.change(sql::job_promote, {lane}) > 0;
}

void park_lane(Transaction& tx, const std::string& lane, const std::string& reason) {
    tx.run(sql::lane_park, {reason, lane});
}

bool unpark_lane(Transaction& tx, const std::string& lane) {
    tx.run(sql::lane_park, {Value{}, lane});
    return promote_next(tx, lane);
}

bool cancel_job(Transaction& tx, int64_t job_id, TimeMs now) {
    const bool cancelled = tx.first(sql::job_cancel, {now, job_id}).has_value();
    if (cancelled) note_change(tx, job_id, "send");
    return cancelled;
}

bool revive_job(Transaction& tx, int64_t job_id, const std::string& lane, TimeMs now,
                std::optional<TimeMs> valid_until) {
    const Value place = lane.empty() ? Value{} : Value{lock_lane(tx, lane).seq};
    if (!tx.first(sql::job_revive, {now, place, nullable(valid_until), job_id})) return false;
    note_change(tx, job_id, "send");
    if (lane.empty()) {
        tx.run(sql::job_release, {job_id});
    } else {
        promote_next(tx, lane);
    }
    return true;
}

std::vector<RescuedJob> rescue_jobs(Transaction& tx, TimeMs now) {
    std::vector<RescuedJob> rescued;
    for (const Row& row : tx.run(sql::job_rescue, {plus(now, wait_for_evidence), now, now})) {
        rescued.push_back({row.number(0), row.text(1) == "unknown", row.text_or(2, ""), row.text(3),
                           row.text(5), row.number(4)});
        note_change(tx, rescued.back().id, rescued.back().kind);
    }
    return rescued;
}

size_t mark_owner_dead(Transaction& tx, const std::string& owner) {
    return tx.run(sql::job_dead_owner, {owner}).size();
}

void record_attempt(Transaction& tx, Ids& ids, const AttemptRecord& attempt) {
    tx.run(sql::attempt_insert,
           {ids.machine_id(), attempt.job_id, attempt.attempt, attempt.owner, attempt.started_at,
            attempt.ended_at, attempt.result, nullable(attempt.http_status), attempt.ms,
            text_or_null(shortened(attempt.error))});
}

}  // namespace patchbay
