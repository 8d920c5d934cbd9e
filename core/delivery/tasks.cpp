#include "delivery/tasks.hpp"

#include "delivery/task_statements.hpp"

namespace patchbay {
namespace {

Value text_or_null(const std::string& text) { return text.empty() ? Value{} : Value{text}; }

}  // namespace

std::string add_task(Transaction& tx, Ids& ids, const NewTask& task, const std::string& trace,
                     TimeMs now) {
    const std::string id = ids.uuid();
    tx.run(sql::task_add, {id, task.kind, task.actor, text_or_null(task.channel),
                           text_or_null(task.subject), task.draft, task.recipients, task.total,
                           task.failed, task.duplicates, task.counted, now});
    enqueue_job(
        tx, ids,
        {.queue = task_queue, .ukey = "task:" + id, .kind = task.kind, .ref = id, .trace = trace},
        std::nullopt, now);
    return id;
}

std::optional<TaskView> find_task(Session& session, const std::string& id) {
    const auto row = session.first(sql::task_get, {id});
    if (!row) return std::nullopt;
    TaskView task;
    task.id = row->text(0);
    task.kind = row->text(1);
    task.status = row->text(2);
    task.actor = row->text(3);
    task.channel = row->text_or(4, "");
    task.subject = row->text_or(5, "");
    task.total = row->number(6);
    task.successful = row->number(7);
    task.failed = row->number(8);
    task.duplicates = row->number(9);
    task.created_at = row->number(10);
    task.finished_at = row->maybe_number(11);
    task.result_until = row->maybe_number(12);
    task.result_bytes = row->maybe_number(13).value_or(0);
    return task;
}

std::optional<std::string> task_result(Session& session, const std::string& id) {
    const auto row = session.first(sql::task_result, {id});
    if (!row) return std::nullopt;
    return row->bytes(0);
}

void end_task(Transaction& tx, const ClaimedJob& job, const TaskEnd& end, TimeMs now) {
    const Value result = end.result ? Value{Blob{*end.result}} : Value{};
    tx.run(sql::task_finish, {end.status, now, end.successful, end.failed, result,
                              nullable(end.result_until), job.ref});
    end_job(tx, job, "done", "", now);
}

void TaskRunner::run(const ClaimedJob& job) const {
    const auto found = work_.find(job.kind);
    if (found == work_.end()) throw std::logic_error("no work for tasks of kind " + job.kind);
    found->second(job);
}

void go_on_later(Store& store, const ClaimedJob& job, std::chrono::milliseconds pause) {
    const TimeMs now = store.clock().now_ms();
    store.write([&](Transaction& tx) { retry_job(tx, job, now + pause.count(), false, ""); },
                Urgency::owed);
}

}  // namespace patchbay
