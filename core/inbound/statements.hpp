// SQL of what arrived (data-model.md section 6, Inbound).
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

// Due from the moment it came. That also makes the row shrink when its end is written: one that
// grows does not fit into its page any more, and SQLite would move its neighbours about.
inline const Statement ingress_store{
    "ingress.store",
    "INSERT INTO ingress(id,instance,route,method,url,headers,body,remote,received_at,retry_at) "
    "VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$9) ON CONFLICT(id) DO NOTHING"};
inline const Statement ingress_to_route{
    "ingress.to_route",
    "SELECT id,route,method,url,headers,body,remote,received_at,attempts FROM ingress WHERE "
    "instance=$1 AND state='received' AND id>$2 AND (attempts=0 OR retry_at<=$3) ORDER BY id LIMIT "
    "$4",
    {"ingress_to_route"}};
// For metrics: counts the first 100,000, so that a long queue does not make each look long.
inline const Statement ingress_pending{
    "ingress.pending",
    "SELECT instance,COUNT(*) FROM (SELECT instance FROM ingress WHERE state='received' LIMIT "
    "100000) GROUP BY instance",
    {"ingress_to_route"}};
inline const Statement ingress_end{
    "ingress.end",
    "UPDATE ingress SET state=$1,reason=$2,routed_at=$3,retry_at=0 WHERE id=$4 AND "
    "state='received'",
    {"PRIMARY"}};
inline const Statement ingress_again{
    "ingress.again",
    "UPDATE ingress SET attempts=attempts+1,reason=$1,retry_at=$2 WHERE id=$3 AND "
    "state='received' RETURNING attempts",
    {"PRIMARY"}};
inline const Statement ingress_blame{
    "ingress.blame",
    "UPDATE ingress SET attempts=attempts+$1,reason=$2,retry_at=$3 WHERE id=$4 AND "
    "state='received' RETURNING attempts",
    {"PRIMARY"}};
inline const Statement ingress_get{
    "ingress.get",
    "SELECT id,instance,route,received_at,state,reason,length(body),body FROM ingress WHERE id=$1",
    {"PRIMARY"}};
inline const Statement ingress_list{
    "ingress.list",
    "SELECT id,instance,route,received_at,state,reason,length(body) FROM ingress WHERE id<$1 ORDER "
    "BY id DESC LIMIT $2",
    {"PRIMARY"}};
inline const Statement ingress_list_trouble{
    "ingress.list_trouble",
    "SELECT id,instance,route,received_at,state,reason,length(body) FROM ingress WHERE state=$1 "
    "AND "
    "state IN ('ignored','dead') AND id<$2 ORDER BY id DESC LIMIT $3",
    {"ingress_trouble"}};

inline const Statement event_known{
    "event.known", "SELECT id FROM events WHERE instance=$1 AND dedupe_key=$2", {"events_dedupe"}};
inline const Statement event_insert{
    "event.insert",
    "INSERT INTO events(id,ingress_id,instance,dedupe_key,topic,contact_id,conversation_id,"
    "message_id,data,at,created_at,forced) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12) ON "
    "CONFLICT(instance,dedupe_key) DO NOTHING"};
inline const Statement event_list{
    "event.list",
    "SELECT id,topic,at,conversation_id,message_id,instance,data FROM events WHERE id<$1 ORDER BY "
    "id DESC LIMIT $2",
    {"PRIMARY"}};
inline const Statement event_list_ingress{
    "event.list_ingress",
    "SELECT id,topic,at,conversation_id,message_id,instance,data FROM events WHERE ingress_id=$1 "
    "ORDER BY id",
    {"events_ingress"}};

inline const Statement lease_take{
    "lease.take",
    "INSERT INTO leases(name,owner,token,lease_until) VALUES($1,$2,1,$3) ON CONFLICT(name) DO "
    "UPDATE SET owner=excluded.owner,token=leases.token+1,lease_until=excluded.lease_until WHERE "
    "leases.lease_until<$4 RETURNING token"};
inline const Statement lease_check{
    "lease.check",
    "UPDATE leases SET lease_until=$1 WHERE name=$2 AND owner=$3 AND token=$4",
    {"PRIMARY"}};
// At start on SQLite, where one server has the database: whoever else holds a lease is dead.
inline const Statement lease_take_back{
    "lease.take_back", "UPDATE leases SET lease_until=0 WHERE owner<>$1", {}, true};
inline const Statement lease_release{
    "lease.release", "UPDATE leases SET lease_until=0 WHERE name=$1 AND owner=$2", {"PRIMARY"}};

// ---- gap fill ----
inline const Statement channel_seen_all{
    "channel.seen_all", "SELECT instance,last_seen_at FROM channel_state", {}, true};
inline const Statement channel_seen{
    "channel.seen",
    "INSERT INTO channel_state(instance,last_seen_at,updated_at) VALUES($1,$2,$2) ON "
    "CONFLICT(instance) DO UPDATE SET last_seen_at=excluded.last_seen_at"};

}  // namespace patchbay::sql
