// Sends as a caller may see them: a send belongs to its message's conversation, which is its lane
// (messaging/sight_statements.hpp).
#pragma once
#include "delivery/statements.hpp"
#include "messaging/sight_statements.hpp"

namespace patchbay::sql {

#define PATCHBAY_SEEN_JOBS PATCHBAY_JOB_COLUMNS "WHERE " PATCHBAY_SEEN_BY("jobs.lane") " AND "
inline const Statement job_seen{"job.seen", PATCHBAY_SEEN_JOBS "jobs.id=$4", {"PRIMARY"}};
inline const Statement job_window{
    "job.window",
    "SELECT id FROM jobs WHERE id<$1 ORDER BY id DESC LIMIT 1 OFFSET $2",
    {"PRIMARY"}};
inline const Statement job_seen_all{
    "job.seen_all", PATCHBAY_SEEN_JOBS "id<$4 AND id>=$5 ORDER BY id DESC", {"PRIMARY"}};
inline const Statement job_window_dead{
    "job.window_dead",
    "SELECT id FROM jobs WHERE state='dead' AND id<$1 ORDER BY id DESC LIMIT 1 OFFSET $2",
    {"jobs_dead"}};
inline const Statement job_seen_dead{"job.seen_dead",
                                     PATCHBAY_SEEN_JOBS
                                     "state='dead' AND id<$4 AND id>=$5 ORDER BY id DESC",
                                     {"jobs_dead", "PRIMARY"}};

}  // namespace patchbay::sql
