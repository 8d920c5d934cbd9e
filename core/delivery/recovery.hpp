// What a process does about those that are gone: their rows in table workers, their leases, their
// half-done sends (G10).
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/work_record.hpp"
#include "delivery/jobs.hpp"
#include "store/store.hpp"

namespace patchbay {

struct WorkerInfo {
    std::string owner;  ///< Unique to this run of this process.
    std::string host, boot_id, version;
    int64_t pid = 0;
};
WorkerInfo this_process(const std::string& version);

/// Writes our row and answers our node number, 0..255, which no other row has: not that of the
/// process before us either, so that ids differ even where the clock went back.
uint8_t register_worker(Store& store, const WorkerInfo& self);

struct Recovered {
    size_t dead_workers = 0, ready = 0, unknown = 0;
};
/// At start, after register_worker: takes back what dead processes held. `alone` (SQLite: the data
/// folder is locked) means that every other row is of a dead one; otherwise a row counts as dead
/// after 40 s without a heartbeat.
Recovered recover(Store& store, Ids& ids, const WorkerInfo& self, bool alone);

/// After recover(): jobs whose thread took the process with it. Each runs alone from the first time
/// on, and no more after the second (G15, F42).
void blame_jobs(Store& store, const std::vector<WorkLeft>& left);

void beat(Store& store, const std::string& owner);
/// At the end of a clean stop.
void unregister_worker(Store& store, const std::string& owner);

/// One round of rescue: leases that ended. Their messages become `unknown` where a send was under
/// way.
Recovered rescue(Store& store, Ids& ids, const std::string& rescuer);

/// Says no for one lease's length after the wall clock jumped: leases are compared with it, and
/// after a jump forward they all look ended (G17). Not thread-safe.
class ClockGuard {
public:
    explicit ClockGuard(const Clock& clock) : clock_(clock) { restart(); }
    bool may_rescue();

private:
    void restart();
    const Clock& clock_;
    TimeMs wall_ = 0;
    std::chrono::steady_clock::time_point steady_, quiet_until_{};
};

}  // namespace patchbay
