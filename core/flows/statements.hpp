// SQL of flow sessions (data-model.md sections 5 and 6).
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

inline const Statement flow_find{
    "flow.find",
    "SELECT id,flow,flow_version,step,data,state FROM flow_sessions WHERE conversation_id=$1 AND "
    "state IN ('active','paused')",
    {"flow_sessions_live"}};
inline const Statement flow_start{
    "flow.start",
    "INSERT INTO flow_sessions(id,conversation_id,flow,flow_version,step,data,state,steps,"
    "expires_at,created_at,updated_at) VALUES($1,$2,$3,$4,$5,$6,'active',1,$7,$8,$9)"};
inline const Statement flow_commit{
    "flow.commit",
    "UPDATE flow_sessions SET step=$1,data=$2,state=$3,steps=steps+1,expires_at=$4,updated_at=$5 "
    "WHERE id=$6 AND state IN ('active','paused') RETURNING steps",
    {"PRIMARY"}};

}  // namespace patchbay::sql
