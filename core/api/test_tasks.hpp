// The API with the workers behind its jobs, run by the test's own thread.
#pragma once
#include "api/contact_export.hpp"
#include "api/test_api.hpp"
#include "delivery/bulk.hpp"
#include "delivery/erasure.hpp"

namespace patchbay {

class TasksTest : public ApiTest {
protected:
    TasksTest() {
        bulk_.add_to(tasks_);
        eraser_.add_to(tasks_);
        add_export_to(tasks_, store_);
    }

    /// Runs what is due in queue `tasks`; how many jobs that were.
    size_t run_tasks(size_t most = 20) {
        size_t ran = 0;
        for (; ran < most; ++ran) {
            const auto jobs = store_.write([&](Transaction& tx) {
                return claim_jobs(tx, {task_queue, "test", 1}, clock_.now_ms(),
                                  clock_.steady() + job_lease);
            });
            if (jobs.empty()) break;
            tasks_.run(jobs.front());
        }
        return ran;
    }

    SendLimits limits_;
    std::vector<std::string> removed_files_;
    Eraser eraser_{{.store = store_, .remove_file = [this](const std::string& key) {
                        removed_files_.push_back(key);
                    }}};
    TaskRunner tasks_;
    BulkSender bulk_{{.store = store_,
                      .mint = mint_,
                      .limits = [this](const std::string&) { return limits_; },
                      .wake = [this](const std::string& queue) { woken_.push_back(queue); }}};
};

}  // namespace patchbay
