// SQL of replays: tasks of kind `replay` over rows of ingress.
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

inline const Statement ingress_count{
    "ingress.count",
    "SELECT COUNT(*) FROM ingress WHERE id>$1 AND id<$2 AND ($3='' OR instance=$3)",
    {"PRIMARY"}};
inline const Statement ingress_range{
    "ingress.range",
    "SELECT id FROM ingress WHERE id>$1 AND id<$2 AND ($3='' OR instance=$3) ORDER BY id LIMIT $4",
    {"PRIMARY"}};
inline const Statement ingress_row{
    "ingress.row",
    "SELECT id,route,method,url,headers,body,remote,received_at,attempts,instance,state FROM "
    "ingress WHERE id=$1",
    {"PRIMARY"}};
inline const Statement ingress_replayed{
    "ingress.replayed",
    "UPDATE ingress SET state=$1,reason=$2,routed_at=$3,replays=replays+1 WHERE id=$4 AND "
    "state<>'received'",
    {"PRIMARY"}};

inline const Statement replay_content{
    "replay.content", "SELECT draft,recipients,status FROM tasks WHERE id=$1", {"PRIMARY"}};
// $8: the draft as it was read. Another one means that somebody else went on with it.
inline const Statement replay_progress{
    "replay.progress",
    "UPDATE tasks SET draft=$1,successful=successful+$2,failed=failed+$3,duplicates=duplicates+$4,"
    "status=$5,finished_at=$6 WHERE id=$7 AND status='running' AND draft=$8",
    {"PRIMARY"}};
inline const Statement replay_stop{
    "replay.stop",
    "UPDATE tasks SET status='stopped',finished_at=$1 WHERE id=$2 AND kind='replay' AND "
    "status='running'",
    {"PRIMARY"}};
inline const Statement replay_resume{
    "replay.resume",
    "UPDATE tasks SET status='running',finished_at=NULL WHERE id=$1 AND kind='replay' AND "
    "status='stopped'",
    {"PRIMARY"}};

}  // namespace patchbay::sql
