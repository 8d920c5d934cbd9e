#include "delivery/recovery.hpp"

#include <unistd.h>

#include <array>
#include <fstream>

#include "base/crypto.hpp"
#include "base/log.hpp"
#include "delivery/probation.hpp"
#include "delivery/statements.hpp"
#include "delivery/status.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds dead_after = 40s;
constexpr milliseconds jump = 5s;
constexpr milliseconds compare_for = 60s;
constexpr int64_t nodes = 256;

std::string host_name() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string boot_id() {
    std::ifstream file{"/proc/sys/kernel/random/boot_id"};
    std::string id;
    std::getline(file, id);
    return id;
}

std::string hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += {digits[byte >> 4], digits[byte & 15]};
    }
    return text;
}

Recovered rescue_in(Transaction& tx, Ids& ids, const std::string& rescuer, TimeMs now) {
    Recovered recovered;
    for (const RescuedJob& job : rescue_jobs(tx, now)) {
        ++(job.unknown ? recovered.unknown : recovered.ready);
        if (job.unknown && job.kind == "send")
            raise_status(tx, {job.queue, job.ref}, "unknown", "", "", now);
        record_attempt(tx, ids,
                       {.job_id = job.id,
                        .attempt = job.attempt,
                        .owner = rescuer,
                        .result = job.unknown ? "unknown" : "not_sent",
                        .started_at = now,
                        .ended_at = now,
                        .error = "its worker is gone"});
    }
    return recovered;
}

void report(const Recovered& recovered) {
    if (recovered.ready + recovered.unknown == 0) return;
    log_warn("delivery", "took back jobs of a worker that is gone",
             {{"ready", std::to_string(recovered.ready)},
              {"unknown", std::to_string(recovered.unknown)}});
}

}  // namespace

WorkerInfo this_process(const std::string& version) {
    constexpr size_t random_part = 6;
    WorkerInfo self{"", host_name(), boot_id(), version, getpid()};
    self.owner = self.host + ":" + std::to_string(self.pid) + ":" + hex(random_bytes(random_part));
    return self;
}

uint8_t register_worker(Store& store, const WorkerInfo& self) {
    return store.write([&](Transaction& tx) {
        const TimeMs now = store.clock().now_ms();
        for (int64_t round = 0; round < nodes; ++round) {
            const int64_t node = tx.first(sql::node_next)->number(0) % nodes;
            if (tx.first(sql::worker_add, {self.owner, node, self.host, self.pid, self.boot_id,
                                           self.version, now})) {
                return static_cast<uint8_t>(node);
            }
        }
        throw StoreError(StoreError::Kind::unavailable,
                         "256 processes share this database already");
    });
}

Recovered recover(Store& store, Ids& ids, const WorkerInfo& self, bool alone) {
    const Recovered recovered = store.write([&](Transaction& tx) {
        const TimeMs now = store.clock().now_ms();
        size_t dead = 0;
        for (const Row& worker : tx.run(sql::worker_list)) {
            const std::string& owner = worker.text(0);
            const bool is_alive = !alone && worker.number(5) + dead_after.count() > now;
            if (owner == self.owner || is_alive) continue;
            mark_owner_dead(tx, owner);
            tx.run(sql::worker_remove, {owner});
            ++dead;
        }
        Recovered result = rescue_in(tx, ids, self.owner, now);
        result.dead_workers = dead;
        return result;
    });
    report(recovered);
    return recovered;
}

void blame_jobs(Store& store, const std::vector<WorkLeft>& left) {
    for (const WorkLeft& one : left) {
        if (one.kind != WorkKind::job || !one.crashed) continue;
        log_error("delivery", "the process died in a job", {{"job", std::to_string(one.id)}});
        // Beside the one that every job gets which ran then.
        constexpr int64_t more = crashes_before_quarantine / 2 - 1;
        static_assert(more + 1 >= crashes_before_probation);
        store.write([&](Transaction& tx) { tx.run(sql::job_blame, {more, one.id}); });
    }
}

void beat(Store& store, const std::string& owner) {
    const TimeMs now = store.clock().now_ms();
    store.write([&](Transaction& tx) { tx.run(sql::worker_beat, {now, owner}); }, Urgency::owed);
}

void unregister_worker(Store& store, const std::string& owner) {
    store.write([&](Transaction& tx) { tx.run(sql::worker_remove, {owner}); }, Urgency::owed);
}

Recovered rescue(Store& store, Ids& ids, const std::string& rescuer) {
    const TimeMs now = store.clock().now_ms();
    const bool is_needed = store.read(
        [&](Session& session) { return session.first(sql::job_lost, {now}).has_value(); });
    if (!is_needed) return {};
    const Recovered recovered =
        store.write([&](Transaction& tx) { return rescue_in(tx, ids, rescuer, now); });
    report(recovered);
    return recovered;
}

void ClockGuard::restart() {
    wall_ = clock_.now_ms();
    steady_ = clock_.steady();
}

bool ClockGuard::may_rescue() {
    const auto steady = clock_.steady();
    const milliseconds wall_passed{clock_.now_ms() - wall_};
    const auto difference = std::chrono::abs(wall_passed - (steady - steady_));
    if (difference > jump) {
        log_warn("delivery", "the clock jumped, lost leases are looked for again in a while");
        quiet_until_ = steady + job_lease;
        restart();
    } else if (steady - steady_ > compare_for) {
        restart();  // So that a clock that is slewed does not add up to a jump.
    }
    return steady >= quiet_until_;
}

}  // namespace patchbay
