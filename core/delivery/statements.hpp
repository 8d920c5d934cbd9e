// SQL of jobs, lanes, attempts, statuses and channel state (data-model.md section 6). Each names
// the index its plan must use. What runs for every message has neither RETURNING nor an IN of more
// than two values: for each of them SQLite makes a table in memory, every time. Placeholders: a
// time is milliseconds UTC, sums are made by the caller.
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

// ---- lanes ----
inline const Statement lane_lock{
    "lane.lock",
    "INSERT INTO lanes(lane,tail_seq) VALUES($1,1) ON CONFLICT(lane) DO UPDATE SET "
    "tail_seq=lanes.tail_seq+1"};
inline const Statement lane_get{
    "lane.get", "SELECT tail_seq,parked_reason FROM lanes WHERE lane=$1", {"PRIMARY"}};
inline const Statement lane_touch{
    "lane.touch", "UPDATE lanes SET version=version+1 WHERE lane=$1", {"PRIMARY"}};
inline const Statement lane_park{
    "lane.park",
    "UPDATE lanes SET parked_reason=$1,version=version+1 WHERE lane=$2 RETURNING lane",
    {"PRIMARY"}};

// ---- jobs: in and out ----
inline const Statement job_enqueue{
    "job.enqueue",
    "INSERT INTO jobs(id,queue,lane,lane_seq,ukey,kind,ref,payload,trace,priority,run_at,"
    "valid_until,created_at,state) SELECT $1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,CASE WHEN "
    "EXISTS(SELECT 1 FROM jobs j WHERE j.lane=$3 AND (j.state='waiting' OR j.state='ready' OR "
    "j.state='running' OR j.state='unknown')) OR EXISTS(SELECT 1 FROM lanes l WHERE l.lane=$3 AND "
    "l.parked_reason IS NOT NULL) THEN 'waiting' ELSE 'ready' END WHERE true ON CONFLICT(ukey) DO "
    "NOTHING",
    {"jobs_lane_live"}};
inline const Statement job_state{"job.state", "SELECT state FROM jobs WHERE id=$1", {"PRIMARY"}};
// For metrics: of each state counts the first 100,000, so that a long queue does not make each look
// long. Done and cancelled jobs are only kept for a week and not counted.
inline const Statement job_counts{
    "job.counts",
    "SELECT queue,'waiting',COUNT(*) FROM (SELECT queue FROM jobs WHERE state='waiting' LIMIT "
    "100000) GROUP BY queue UNION ALL "
    "SELECT queue,'ready',COUNT(*) FROM (SELECT queue FROM jobs WHERE state='ready' AND queue>'' "
    "LIMIT 100000) "
    "GROUP BY queue UNION ALL "
    "SELECT queue,'running',COUNT(*) FROM (SELECT queue FROM jobs WHERE state='running' LIMIT "
    "100000) GROUP BY queue UNION ALL "
    "SELECT queue,'unknown',COUNT(*) FROM (SELECT queue FROM jobs WHERE state='unknown' LIMIT "
    "100000) GROUP BY queue UNION ALL "
    "SELECT queue,'dead',COUNT(*) FROM (SELECT queue FROM jobs WHERE state='dead' LIMIT 100000) "
    "GROUP BY queue",
    {"jobs_waiting", "jobs_ready", "jobs_running", "jobs_unknown", "jobs_dead"}};
inline const Statement job_peek{
    "job.peek",
    "SELECT id FROM jobs WHERE state='ready' AND queue=$1 AND run_at<=$2 ORDER BY "
    "priority,run_at,id LIMIT 1",
    {"jobs_ready"}};
inline const Statement job_claim{
    "job.claim",
    "WITH c AS MATERIALIZED (SELECT id FROM jobs WHERE state='ready' AND queue=$1 AND run_at<=$2 "
    "ORDER BY priority,run_at,id LIMIT $3 {lock}) UPDATE jobs SET "
    "state='running',phase='claimed',attempt=attempt+1,lease_owner=$4,lease_token=lease_token+1,"
    "lease_until=$5 WHERE id IN (SELECT id FROM c) RETURNING "
    "id,lane,lane_seq,kind,ref,payload,attempt,lease_token,trace,valid_until,max_attempts,crashes,"
    "run_at",
    {"jobs_ready", "PRIMARY"}};
inline const Statement job_sending{
    "job.sending",
    "UPDATE jobs SET phase='sending' WHERE id=$1 AND state='running' AND lease_token=$2 AND "
    "lease_until>$3",
    {"PRIMARY"}};
inline const Statement job_heartbeat{
    "job.heartbeat",
    "UPDATE jobs SET lease_until=$1 WHERE id=$2 AND state='running' AND lease_token=$3",
    {"PRIMARY"}};
inline const Statement job_ack{
    "job.ack",
    "UPDATE jobs SET state=$1,phase=NULL,lease_owner=NULL,lease_until=NULL,finished_at=$2,"
    "last_error=$3 WHERE id=$4 AND state='running' AND lease_token=$5",
    {"PRIMARY"}};
inline const Statement job_retry{
    "job.retry",
    "UPDATE jobs SET state='ready',phase=NULL,lease_owner=NULL,lease_until=NULL,run_at=$1,"
    "attempt=attempt-$2,last_error=$3 WHERE id=$4 AND state='running' AND lease_token=$5",
    {"PRIMARY"}};
// The holder saw the outcome get lost; job_rescue is for holders that are gone.
inline const Statement job_unknown{
    "job.unknown",
    "UPDATE jobs SET state='unknown',phase=NULL,lease_owner=NULL,lease_until=NULL,run_at=$1,"
    "last_error=$2 WHERE id=$3 AND state='running' AND lease_token=$4",
    {"PRIMARY"}};
// At stop: the token moves on, so that whoever still works on it can write nothing.
inline const Statement job_give_back{
    "job.give_back",
    "UPDATE jobs SET state='ready',phase=NULL,lease_owner=NULL,lease_until=NULL,attempt=attempt-1,"
    "lease_token=lease_token+1 WHERE id=$1 AND state='running' AND phase='claimed' AND "
    "lease_token=$2 RETURNING id",
    {"PRIMARY"}};
inline const Statement job_promote{
    "job.promote",
    "UPDATE jobs SET state='ready' WHERE state='waiting' AND id=(SELECT id FROM jobs WHERE lane=$1 "
    "AND state='waiting' ORDER BY lane_seq LIMIT 1) AND NOT EXISTS (SELECT 1 FROM jobs h WHERE "
    "h.lane=$1 AND (h.state='ready' OR h.state='running' OR h.state='unknown')) AND NOT EXISTS "
    "(SELECT 1 FROM lanes l "
    "WHERE l.lane=$1 AND l.parked_reason IS NOT NULL)",
    {"PRIMARY", "jobs_waiting", "jobs_lane_head"}};
inline const Statement job_cancel{
    "job.cancel",
    "UPDATE jobs SET state='cancelled',phase=NULL,lease_owner=NULL,lease_token=lease_token+1,"
    "finished_at=$1 WHERE id=$2 AND state IN ('waiting','ready','unknown') RETURNING lane",
    {"PRIMARY"}};
inline const Statement job_expire{
    "job.expire",
    "SELECT id,queue,lane,ref,kind FROM jobs WHERE state IN ('waiting','ready') AND valid_until<$1 "
    "ORDER BY valid_until LIMIT 100",
    {"jobs_validity"}};
// By an operator, behind whatever the lane holds by then ($2: a fresh place in the lane).
inline const Statement job_revive{
    "job.revive",
    "UPDATE jobs SET state='waiting',attempt=0,looks=0,run_at=$1,lane_seq=$2,valid_until=$3,"
    "finished_at=NULL,lease_token=lease_token+1 WHERE id=$4 AND state='dead' RETURNING lane",
    {"PRIMARY"}};
inline const Statement job_hurry{"job.hurry",
                                 "UPDATE jobs SET run_at=$1 WHERE id=$2 AND state IN "
                                 "('waiting','ready') AND run_at>$1 RETURNING "
                                 "id",
                                 {"PRIMARY"}};
inline const Statement job_release{
    "job.release",
    "UPDATE jobs SET state='ready' WHERE id=$1 AND state='waiting' AND lane IS NULL RETURNING id",
    {"PRIMARY"}};

// ---- jobs: owners that are gone ----
inline const Statement job_dead_owner{
    "job.dead_owner",
    "UPDATE jobs SET crashes=crashes+1,lease_until=0 WHERE state='running' AND lease_until>=0 AND "
    "lease_owner=$1 RETURNING id",
    {"jobs_running"}};
inline const Statement job_lost{
    "job.lost",
    "SELECT id FROM jobs WHERE state='running' AND lease_until<$1 LIMIT 1",
    {"jobs_running"}};
inline const Statement job_rescue{
    "job.rescue",
    "UPDATE jobs SET state=CASE WHEN phase='sending' THEN 'unknown' ELSE 'ready' "
    "END,lease_token=lease_token+1,lease_owner=NULL,lease_until=NULL,run_at=CASE WHEN "
    "phase='sending' THEN CAST($1 AS BIGINT) ELSE $2 END,phase=NULL WHERE state='running' AND "
    "lease_until<$3 RETURNING id,state,ref,kind,attempt,queue",
    {"jobs_running"}};

// ---- jobs: outcome unknown ----
inline const Statement unknown_peek{
    "unknown.peek",
    "SELECT id FROM jobs WHERE state='unknown' AND run_at<=$1 ORDER BY run_at,id LIMIT 1",
    {"jobs_unknown"}};
inline const Statement unknown_claim{
    "unknown.claim",
    "WITH c AS MATERIALIZED (SELECT id FROM jobs WHERE state='unknown' AND run_at<=$1 ORDER BY "
    "run_at,id LIMIT $2 {lock}) UPDATE jobs SET "
    "phase='resolving',looks=looks+1,lease_token=lease_token+1,lease_owner=$3,run_at=$4 WHERE id "
    "IN (SELECT id FROM c) RETURNING "
    "id,queue,lane,ref,payload,looks,lease_token,kind,attempt,max_attempts,trace",
    {"jobs_unknown", "PRIMARY"}};
// A crash names it (G15).
inline const Statement job_blame{
    "job.blame", "UPDATE jobs SET crashes=crashes+$1 WHERE id=$2", {"PRIMARY"}};
inline const Statement unknown_later{
    "unknown.later",
    "UPDATE jobs SET phase=NULL,lease_owner=NULL,run_at=$1,last_error=$2 WHERE id=$3 AND "
    "state='unknown' AND lease_token=$4 RETURNING id",
    {"PRIMARY"}};
inline const Statement unknown_resolve_resend{
    "unknown.resolve_resend",
    "UPDATE jobs SET state='ready',phase=NULL,lease_owner=NULL,lease_until=NULL,run_at=$1,"
    "last_error=$2 WHERE id=$3 AND state='unknown' AND lease_token=$4 RETURNING id",
    {"PRIMARY"}};
// $1: done (found), or dead (policies hold and fail).
inline const Statement unknown_resolve_end{
    "unknown.resolve_end",
    "UPDATE jobs SET state=$1,phase=NULL,lease_owner=NULL,finished_at=$2,last_error=$3 WHERE id=$4 "
    "AND state='unknown' AND lease_token=$5 RETURNING lane",
    {"PRIMARY"}};
// A callback knows the message. Also for a job that is ready: it waits to be tried again after an
// answer that said less.
inline const Statement unknown_evidence{
    "unknown.evidence",
    "UPDATE jobs SET state='done',phase=NULL,lease_owner=NULL,lease_token=lease_token+1,"
    "finished_at=$1 WHERE ref=$2 AND kind='send' AND state IN ('unknown','ready') RETURNING "
    "id,lane,attempt",
    {"jobs_ref"}};

// ---- attempts ----
inline const Statement attempt_insert{
    "attempt.insert",
    "INSERT INTO attempts(id,job_id,attempt,owner,started_at,ended_at,class,http_status,ms,error) "
    "VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)"};
inline const Statement attempt_count{"attempt.count",
                                     "SELECT COUNT(*) FROM attempts WHERE job_id=$1 AND class=$2",
                                     {"attempts_job"}};
inline const Statement attempt_span{
    "attempt.span",
    "SELECT MIN(started_at),MAX(ended_at) FROM attempts WHERE job_id=$1",
    {"attempts_job"}};
inline const Statement attempt_list{
    "attempt.list",
    "SELECT attempt,started_at,ended_at,class,http_status,ms,error FROM attempts WHERE job_id=$1 "
    "ORDER BY attempt,id",
    {"attempts_job"}};

// ---- statuses ----
inline const Statement status_store{
    "status.store",
    "INSERT INTO message_events(id,message_id,channel,provider_id,status,rank,error_code,"
    "error_reason,at,received_at,raw) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) ON "
    "CONFLICT(channel,provider_id,status,at) DO NOTHING"};
inline const Statement status_apply{
    "status.apply",
    "UPDATE messages SET status=$1,rank=$2,error_code=$3,error_reason=$4,updated_at=$5 WHERE id=$6 "
    "AND rank<$2",
    {"PRIMARY"}};
inline const Statement status_provider_id{
    "status.provider_id",
    "UPDATE messages SET provider_id=$1,sent_at=$2,updated_at=$2 WHERE id=$3 AND provider_id IS "
    "NULL AND NOT EXISTS (SELECT 1 FROM messages o WHERE o.channel=messages.channel AND "
    "o.provider_id=$1)",
    {"PRIMARY", "messages_provider"}};
// For providers that give no id.
inline const Statement status_sent{
    "status.sent",
    "UPDATE messages SET sent_at=$1,updated_at=$1 WHERE id=$2 AND sent_at IS NULL",
    {"PRIMARY"}};
inline const Statement status_early{
    "status.early",
    "SELECT status,rank,error_code,error_reason,at FROM message_events WHERE channel=$1 AND "
    "provider_id=$2 AND message_id IS NULL",
    {"message_events_once"}};
inline const Statement status_adopt{
    "status.adopt",
    "UPDATE message_events SET message_id=$1 WHERE channel=$2 AND provider_id=$3 AND message_id IS "
    "NULL",
    {"message_events_once"}};
inline const Statement status_reunite{
    "status.reunite",
    "SELECT e.id,e.channel,e.provider_id,m.id,m.conversation_id FROM message_events e JOIN "
    "messages m ON m.channel=e.channel AND m.provider_id=e.provider_id WHERE e.message_id IS NULL "
    "AND e.id>$1 ORDER BY e.id LIMIT 200",
    {"message_events_early", "messages_provider"}};
inline const Statement status_of{
    "status.of",
    "SELECT conversation_id,status,rank,channel,direction,provider_id,parts,erased_at FROM "
    "messages "
    "WHERE id=$1",
    {"PRIMARY"}};
inline const Statement status_by_provider{
    "status.by_provider",
    "SELECT id,conversation_id,rank,parts FROM messages WHERE channel=$1 AND provider_id=$2",
    {"messages_provider"}};
inline const Statement part_insert{
    "part.insert",
    "INSERT INTO message_parts(channel,provider_id,message_id,part,status,rank,updated_at) "
    "VALUES($1,$2,$3,$4,$5,$6,$7) ON CONFLICT(channel,provider_id) DO NOTHING RETURNING part"};
inline const Statement part_find{
    "part.find",
    "SELECT p.message_id,m.conversation_id,m.status,m.rank FROM message_parts p JOIN messages m ON "
    "m.id=p.message_id WHERE p.channel=$1 AND p.provider_id=$2",
    {"PRIMARY"}};
inline const Statement status_part{
    "status.part",
    "UPDATE message_parts SET status=$1,rank=$2,updated_at=$3 WHERE channel=$4 AND provider_id=$5 "
    "AND rank<$2 RETURNING message_id",
    {"PRIMARY"}};
inline const Statement part_list{
    "part.list",
    "SELECT status,rank FROM message_parts WHERE message_id=$1 ORDER BY part",
    {"message_parts_message"}};
inline const Statement status_parts_of{
    "status.parts_of", "UPDATE messages SET parts=$1 WHERE id=$2", {"PRIMARY"}};

inline const Statement message_by_client_ref{
    "message.by_client_ref",
    "SELECT id,number,seq FROM messages WHERE conversation_id=$1 AND client_ref=$2",
    {"messages_client_ref"}};
inline const Statement conversation_opened{
    "conversation.opened",
    "UPDATE conversations SET external_id=$1,updated_at=$2 WHERE id=$3 AND external_id IS NULL AND "
    "NOT EXISTS (SELECT 1 FROM conversations o WHERE o.channel=conversations.channel AND "
    "o.external_id=$1) RETURNING id",
    {"PRIMARY", "conversations_external"}};

// ---- channels and processes: tables of a few rows ----
inline const Statement channel_pause{
    "channel.pause",
    "INSERT INTO channel_state(instance,paused_reason,paused_at,updated_at) VALUES($1,$2,$3,$3) ON "
    "CONFLICT(instance) DO UPDATE SET paused_reason=excluded.paused_reason,"
    "paused_at=excluded.paused_at,updated_at=excluded.updated_at WHERE channel_state.paused_reason "
    "IS NULL RETURNING instance"};
inline const Statement channel_resume{
    "channel.resume",
    "UPDATE channel_state SET paused_reason=NULL,paused_at=NULL,updated_at=$1 WHERE instance=$2 "
    "AND paused_reason IS NOT NULL RETURNING instance",
    {"PRIMARY"}};
inline const Statement channel_paused{
    "channel.paused",
    "SELECT instance,paused_reason,paused_at FROM channel_state WHERE paused_reason IS NOT NULL",
    {},
    true};
// 'credentials:sms' and a number made of them.
inline const Statement credentials_known{
    "credentials.known", "SELECT value FROM counters WHERE name=$1", {"PRIMARY"}};
inline const Statement credentials_keep{
    "credentials.keep",
    "INSERT INTO counters(name,value) VALUES($1,$2) ON CONFLICT(name) DO UPDATE SET "
    "value=excluded.value"};
inline const Statement channel_pause_reason{
    "channel.pause_reason",
    "SELECT paused_reason FROM channel_state WHERE instance=$1",
    {"PRIMARY"}};
inline const Statement node_next{
    "node.next",
    "INSERT INTO counters(name,value) VALUES('node',0) ON CONFLICT(name) DO UPDATE SET "
    "value=counters.value+1 RETURNING value"};
inline const Statement worker_list{
    "worker.list",
    "SELECT owner,node,host,pid,boot_id,heartbeat_at FROM workers ORDER BY owner",
    {},
    true};
inline const Statement worker_add{
    "worker.add",
    "INSERT INTO workers(owner,node,host,pid,boot_id,version,started_at,heartbeat_at) "
    "VALUES($1,$2,$3,$4,$5,$6,$7,$7) ON CONFLICT(node) DO NOTHING RETURNING node"};
inline const Statement worker_beat{
    "worker.beat", "UPDATE workers SET heartbeat_at=$1 WHERE owner=$2 RETURNING node", {"PRIMARY"}};
inline const Statement worker_remove{
    "worker.remove", "DELETE FROM workers WHERE owner=$1", {"PRIMARY"}};

// ---- what the console and the command line read ----
#define PATCHBAY_JOB_COLUMNS                                                                 \
    "SELECT "                                                                                \
    "id,queue,lane,kind,ref,state,phase,attempt,max_attempts,run_at,valid_until,last_error," \
    "created_at,finished_at,looks,crashes FROM jobs "
inline const Statement job_get{"job.get", PATCHBAY_JOB_COLUMNS "WHERE id=$1", {"PRIMARY"}};
inline const Statement job_by_ref{
    "job.by_ref", PATCHBAY_JOB_COLUMNS "WHERE ref=$1 ORDER BY id", {"jobs_ref"}};
inline const Statement job_list{
    "job.list", PATCHBAY_JOB_COLUMNS "WHERE id<$1 ORDER BY id DESC LIMIT $2", {"PRIMARY"}};
inline const Statement job_list_dead{"job.list_dead",
                                     PATCHBAY_JOB_COLUMNS
                                     "WHERE state='dead' AND id<$1 ORDER BY id DESC LIMIT $2",
                                     {"jobs_dead"}};
inline const Statement job_depth{
    "job.depth",
    "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE state='ready' AND queue=$1 ORDER BY "
    "priority,run_at,id LIMIT 10000) n",
    {"jobs_ready"},
    true};

// ---- retention: one batch each ----
inline const Statement job_sweep{
    "job.sweep",
    "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at<$1 AND state IN "
    "('done','cancelled') ORDER BY finished_at LIMIT 500) RETURNING id",
    {"jobs_finished", "PRIMARY"}};
inline const Statement job_sweep_dead{
    "job.sweep_dead",
    "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state='dead' AND id<$1 ORDER BY id "
    "LIMIT 500) RETURNING id",
    {"jobs_dead", "PRIMARY"}};
inline const Statement attempt_sweep{
    "attempt.sweep",
    "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE id<$1 ORDER BY id LIMIT 500) "
    "RETURNING id",
    {"PRIMARY"}};
inline const Statement status_sweep_early{
    "status.sweep_early",
    "DELETE FROM message_events WHERE id IN (SELECT id FROM message_events WHERE message_id IS "
    "NULL AND id<$1 ORDER BY id LIMIT 500) RETURNING id",
    {"message_events_early", "PRIMARY"}};

// ---- invariants (guarantees section 6): whole tables are read, by doctor and fault tests ----
inline const Statement inv_waiting{
    "inv.waiting",
    "SELECT w.lane FROM jobs w WHERE w.state='waiting' AND NOT EXISTS (SELECT 1 FROM jobs a WHERE "
    "a.lane=w.lane AND a.state IN ('ready','running','unknown')) AND NOT EXISTS (SELECT 1 FROM "
    "lanes l WHERE l.lane=w.lane AND l.parked_reason IS NOT NULL) LIMIT 10",
    {},
    true};
inline const Statement inv_heads{
    "inv.heads",
    "SELECT lane FROM jobs WHERE lane IS NOT NULL AND state IN ('ready','running','unknown') GROUP "
    "BY lane HAVING COUNT(*)>1 LIMIT 10",
    {},
    true};
inline const Statement inv_running{
    "inv.running",
    "SELECT id FROM jobs WHERE state='running' AND (lease_owner IS NULL OR lease_until IS NULL) "
    "LIMIT 10",
    {},
    true};
inline const Statement inv_ingress{
    "inv.ingress",
    "SELECT id FROM ingress WHERE state='received' AND received_at<$1 AND retry_at<$1 LIMIT 10",
    {},
    true};
inline const Statement inv_seq{
    "inv.seq",
    "SELECT conversation_id FROM messages GROUP BY conversation_id HAVING "
    "MAX(seq)-MIN(seq)+1<>COUNT(*) LIMIT 10",
    {},
    true};
inline const Statement inv_rank{
    "inv.rank",
    "SELECT m.id FROM message_events e JOIN messages m ON m.id=e.message_id WHERE m.parts=1 GROUP "
    "BY m.id,m.rank HAVING m.rank<MAX(e.rank) LIMIT 10",
    {},
    true};
inline const Statement inv_accepted{
    "inv.accepted",
    "SELECT j.id FROM jobs j WHERE j.state='done' AND j.kind='send' AND NOT EXISTS (SELECT 1 FROM "
    "attempts a WHERE a.job_id=j.id AND a.class IN ('accepted','found','evidence')) LIMIT 10",
    {},
    true};
inline const Statement inv_idempotency{
    "inv.idempotency",
    "SELECT key FROM idempotency WHERE state='running' AND started_at<$1 LIMIT 10",
    {},
    true};

}  // namespace patchbay::sql
