// Work that a request begins and that goes on behind it (`jobs/{id}` of the API; the rows of table
// jobs are deliveries there). A task is worked on by a job of queue `tasks`, so it survives the
// process.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "delivery/jobs.hpp"

namespace patchbay {

inline constexpr const char* task_queue = "tasks";

struct NewTask {
    std::string kind;   ///< bulk, export, erase
    std::string actor;  ///< "user:<id>"
    std::string channel, subject;
    std::string draft = "{}", recipients = "[]";
    int64_t total = 0, failed = 0, duplicates = 0, counted = 0;
};
/// The task with its first job; its id. After the commit wake `tasks`.
std::string add_task(Transaction& tx, Ids& ids, const NewTask& task, const std::string& trace,
                     TimeMs now);

struct TaskView {
    std::string id, kind, status, actor, channel, subject;  ///< status: as stored
    int64_t total = 0, successful = 0, failed = 0, duplicates = 0, result_bytes = 0;
    TimeMs created_at = 0;
    std::optional<TimeMs> finished_at, result_until;
};
std::optional<TaskView> find_task(Session& session, const std::string& id);

/// What an export left; nullopt: nothing, or no more.
std::optional<std::string> task_result(Session& session, const std::string& id);

/// Ends the task and its job in one transaction.
struct TaskEnd {
    std::string status = "done";
    int64_t successful = 0, failed = 0;
    std::optional<std::string> result{};
    std::optional<TimeMs> result_until{};
};
void end_task(Transaction& tx, const ClaimedJob& job, const TaskEnd& end, TimeMs now);

/// The handler of queue `tasks`: one function for each kind of job. [add before it runs]
class TaskRunner {
public:
    using Work = std::function<void(const ClaimedJob&)>;
    void add(const std::string& kind, Work work) { work_[kind] = std::move(work); }
    /// Throws std::logic_error for a kind nobody added.
    void run(const ClaimedJob& job) const;

private:
    std::map<std::string, Work> work_;
};

/// The job goes on later, as the same try.
void go_on_later(Store& store, const ClaimedJob& job, std::chrono::milliseconds pause);

}  // namespace patchbay
