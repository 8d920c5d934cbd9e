// SQL that only the API needs; everything else reads through the statements of the folder that owns
// the table.
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

inline const Statement idempotency_begin{
    "idempotency.begin",
    "INSERT INTO idempotency(scope,key,body_hash,state,started_at,expires_at) "
    "VALUES($1,$2,$3,'running',$4,$5) ON CONFLICT(scope,key) DO NOTHING RETURNING key"};
inline const Statement idempotency_end{
    "idempotency.end",
    "UPDATE idempotency SET state='done',http_status=$1,headers=$2,response=$3 WHERE scope=$4 AND "
    "key=$5 RETURNING key",
    {"PRIMARY"}};
inline const Statement idempotency_get{
    "idempotency.get",
    "SELECT body_hash,state,http_status,headers,response,started_at FROM idempotency WHERE "
    "scope=$1 AND key=$2",
    {"PRIMARY"}};
// A row that is over, or whose work died with its process.
inline const Statement idempotency_drop{
    "idempotency.drop",
    "DELETE FROM idempotency WHERE scope=$1 AND key=$2 AND (expires_at<=$3 OR (state='running' AND "
    "started_at<=$4))",
    {"PRIMARY"}};

inline const Statement idempotency_release{
    "idempotency.release",
    "DELETE FROM idempotency WHERE scope=$1 AND key=$2 AND state='running'",
    {"PRIMARY"}};
inline const Statement idempotency_forget{
    "idempotency.forget", "DELETE FROM idempotency WHERE state='running'", {}, true};

inline const Statement message_last{
    "message.last",
    "SELECT id,direction,body,created_at FROM messages WHERE conversation_id=$1 ORDER BY seq DESC "
    "LIMIT 1",
    {"messages_seq"}};
inline const Statement message_history{
    "message.history",
    "SELECT status,at,error_code FROM message_events WHERE message_id=$1 ORDER BY id",
    {"message_events_message"}};
inline const Statement consent_of_address{
    "consent.of_address",
    "SELECT channel,state,at,source FROM consents WHERE kind=$1 AND value=$2",
    {"PRIMARY"}};
inline const Statement consent_history_of{
    "consent.history_of",
    "SELECT channel,state,at,source,evidence,actor FROM consent_history WHERE kind=$1 AND value=$2 "
    "ORDER BY at",
    {"consent_history_address"}};
inline const Statement channel_state_all{
    "channel.state_all", "SELECT instance,paused_reason FROM channel_state", {}, true};

}  // namespace patchbay::sql
