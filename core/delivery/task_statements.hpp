// SQL of tasks: what a request began and goes on behind it (migration 0004). A bulk send's rows are
// few columns each; its figures are counted when somebody asks.
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

inline const Statement task_add{
    "task.add",
    "INSERT INTO tasks(id,kind,status,actor,channel,subject,draft,recipients,total,failed,"
    "duplicates,counted,created_at) VALUES($1,$2,'running',$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)"};
inline const Statement task_get{
    "task.get",
    "SELECT id,kind,status,actor,channel,subject,total,successful,failed,duplicates,created_at,"
    "finished_at,result_until,length(result) FROM tasks WHERE id=$1",
    {"PRIMARY"}};
inline const Statement task_content{
    "task.content", "SELECT draft,recipients,status FROM tasks WHERE id=$1", {"PRIMARY"}};
inline const Statement task_runs{
    "task.runs", "SELECT 1 FROM tasks WHERE id=$1 AND status='running'", {"PRIMARY"}};
inline const Statement task_result{
    "task.result", "SELECT result FROM tasks WHERE id=$1 AND result IS NOT NULL", {"PRIMARY"}};
// The text that was sent is in the messages now.
inline const Statement task_end{
    "task.end",
    "UPDATE tasks SET status=$1,finished_at=$2,draft='{}' WHERE id=$3 AND status='running'",
    {"PRIMARY"}};
inline const Statement task_finish{
    "task.finish",
    "UPDATE tasks SET status=$1,finished_at=$2,successful=$3,failed=$4,result=$5,result_until=$6,"
    "draft='{}' WHERE id=$7 AND status='running'",
    {"PRIMARY"}};
inline const Statement task_stop{
    "task.stop",
    "UPDATE tasks SET status='stopped',finished_at=$1,draft='{}' WHERE id=$2 AND (status='running' "
    "OR status='done')",
    {"PRIMARY"}};
inline const Statement task_forget_results{
    "task.forget_results",
    "UPDATE tasks SET result=NULL,result_until=NULL WHERE result_until<$1 AND result_until IS NOT "
    "NULL",
    {"tasks_results"}};
inline const Statement task_sweep{
    "task.sweep",
    "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE created_at<$1 ORDER BY created_at "
    "LIMIT 2)",
    {"tasks_created", "PRIMARY"}};

// ---- bulk ----
inline const Statement bulk_used{
    "bulk.used",
    "SELECT COALESCE(SUM(counted),0) FROM tasks WHERE kind='bulk' AND channel=$1 AND created_at>$2",
    {"tasks_bulk"}};
inline const Statement bulk_item_add{
    "bulk.item_add",
    "INSERT INTO task_items(task_id,place,message_id,error_code,error_reason) "
    "VALUES($1,$2,$3,$4,$5) ON CONFLICT(task_id,place) DO NOTHING"};
inline const Statement bulk_item_find{
    "bulk.item_find", "SELECT 1 FROM task_items WHERE task_id=$1 AND place=$2", {"PRIMARY"}};
inline const Statement bulk_items_handed{
    "bulk.items_handed",
    "SELECT place FROM task_items WHERE task_id=$1 AND place>=$2 AND place<$3",
    {"PRIMARY"}};
// Refused ones have no message.
inline const Statement bulk_counts{
    "bulk.counts",
    "SELECT m.status,COUNT(*),MAX(COALESCE(m.sent_at,m.updated_at)) FROM task_items i LEFT JOIN "
    "messages m ON m.id=i.message_id WHERE i.task_id=$1 GROUP BY m.status",
    {"PRIMARY"}};
inline const Statement bulk_results{
    "bulk.results",
    "SELECT i.place,i.error_code,i.error_reason,m.id,m.status,m.provider_id,m.error_code,"
    "m.error_reason FROM task_items i LEFT JOIN messages m ON m.id=i.message_id WHERE i.task_id=$1 "
    "AND i.place>=$2 AND i.place<$3 ORDER BY i.place",
    {"PRIMARY"}};
// Not yet with the provider: below rank unknown.
inline const Statement bulk_open{
    "bulk.open",
    "SELECT i.place,m.id FROM task_items i JOIN messages m ON m.id=i.message_id WHERE i.task_id=$1 "
    "AND i.place>$2 AND m.rank<25 ORDER BY i.place LIMIT $3",
    {"PRIMARY"}};
// For the daily cap only what went out, or may have, counts.
inline const Statement bulk_recount{
    "bulk.recount",
    "UPDATE tasks SET counted=(SELECT COUNT(*) FROM task_items i JOIN messages m ON "
    "m.id=i.message_id WHERE i.task_id=tasks.id AND m.status<>'cancelled') WHERE id=$1",
    {"PRIMARY"}};

}  // namespace patchbay::sql
