#include "delivery/housekeeping.hpp"

#include "delivery/statements.hpp"
#include "delivery/status.hpp"
#include "delivery/task_statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds keep_ended = std::chrono::days{7};
constexpr milliseconds keep_dead = std::chrono::days{30};
constexpr milliseconds keep_tasks = std::chrono::days{30};
constexpr size_t batch = 500;

std::vector<MessageChange> expire_in(Transaction& tx, const Rows& due, TimeMs now) {
    std::vector<MessageChange> expired;
    for (const Row& job : due) {
        const std::string lane = job.text_or(2, ""), ref = job.text_or(3, "");
        touch_lane(tx, lane);
        if (!cancel_job(tx, job.number(0), now)) continue;
        const bool is_send = job.text(4) == "send";
        if (is_send && raise_status(tx, {job.text(1), ref}, "expired", "expired",
                                    "it was not sent in time", now)) {
            expired.push_back(
                {ref, lane, job.text(1), "expired", "expired", "it was not sent in time"});
        }
        promote_next(tx, lane);
    }
    return expired;
}

}  // namespace

size_t expire_sends(DeliveryContext& context) {
    const TimeMs now = context.store.clock().now_ms();
    const Rows due =
        context.store.read([&](Session& session) { return session.run(sql::job_expire, {now}); });
    if (due.empty()) return 0;
    const auto expired =
        context.store.write([&](Transaction& tx) { return expire_in(tx, due, now); });
    for (const MessageChange& change : expired) {
        announce(context, change, Verdict::refused, "");
        if (context.wake) context.wake(change.channel);
    }
    return due.size();
}

size_t reunite_statuses(DeliveryContext& context) {
    const TimeMs now = context.store.clock().now_ms();
    const auto pairs =
        context.store.read([&](Session& session) { return find_reunited(session, now); });
    for (const EarlyStatus& early : pairs) {
        context.store.write([&](Transaction& tx) { reunite(tx, early, now); });
    }
    return pairs.size();
}

bool sweep_deliveries(Store& store) {
    const TimeMs now = store.clock().now_ms();
    const int64_t dead_before = Ids::lowest_at(now - keep_dead.count());
    const int64_t early_before = Ids::lowest_at(now - milliseconds{keep_early_statuses}.count());
    return store.write([&](Transaction& tx) {
        const size_t jobs = tx.run(sql::job_sweep, {now - keep_ended.count()}).size();
        const size_t dead = tx.run(sql::job_sweep_dead, {dead_before}).size();
        const size_t attempts = tx.run(sql::attempt_sweep, {dead_before}).size();
        const size_t early = tx.run(sql::status_sweep_early, {early_before}).size();
        tx.run(sql::task_forget_results, {now});
        tx.run(sql::task_sweep, {now - keep_tasks.count()});
        return std::max({jobs, dead, attempts, early}) == batch;
    });
}

}  // namespace patchbay
