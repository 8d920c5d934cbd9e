// SQL of the people who sign in, their throttles and their one-time links.
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

#define PATCHBAY_USER_COLUMNS                                                                  \
    "SELECT "                                                                                  \
    "id,number,email,name,role,token_version,disabled_at,created_at,updated_at,password_hash " \
    "FROM users "
inline const Statement user_get{"user.get", PATCHBAY_USER_COLUMNS "WHERE id=$1", {"PRIMARY"}};
inline const Statement user_by_number{
    "user.by_number", PATCHBAY_USER_COLUMNS "WHERE number=$1", {"users_number"}};
inline const Statement user_by_email{
    "user.by_email", PATCHBAY_USER_COLUMNS "WHERE email=$1", {"users_email"}};
inline const Statement user_list{
    "user.list", PATCHBAY_USER_COLUMNS "WHERE id>$1 ORDER BY id LIMIT $2", {"PRIMARY"}};
inline const Statement user_insert{
    "user.insert",
    "INSERT INTO users(id,number,email,name,role,password_hash,created_at,updated_at) "
    "VALUES($1,$2,$3,$4,$5,$6,$7,$8)"};
inline const Statement user_number{
    "user.number",
    "INSERT INTO counters(name,value) VALUES('number',1) ON CONFLICT(name) DO UPDATE SET "
    "value=counters.value+1 RETURNING value"};
inline const Statement user_change{
    "user.change",
    "UPDATE users SET name=$1,role=$2,disabled_at=$3,token_version=token_version+$4,updated_at=$5 "
    "WHERE id=$6 RETURNING id",
    {"PRIMARY"}};
inline const Statement user_password{
    "user.password",
    "UPDATE users SET password_hash=$1,token_version=token_version+$2,updated_at=$3 WHERE id=$4 "
    "RETURNING id",
    {"PRIMARY"}};
inline const Statement user_signed_in{
    "user.signed_in", "UPDATE users SET last_login_at=$1 WHERE id=$2", {"PRIMARY"}};
inline const Statement user_owners{
    "user.owners",
    "SELECT COUNT(*) FROM users WHERE role='owner' AND disabled_at IS NULL AND id<>$1",
    {},
    true};
inline const Statement user_any{"user.any", "SELECT id FROM users LIMIT 1", {}, true};
// In order of the ids: the first one that was added.
inline const Statement user_first_owner{
    "user.first_owner",
    "SELECT id FROM users WHERE role='owner' AND disabled_at IS NULL ORDER BY id LIMIT 1",
    {"PRIMARY"}};
inline const Statement department_list{
    "user.departments",
    "SELECT department FROM user_departments WHERE user_id=$1 ORDER BY department",
    {"PRIMARY"}};
inline const Statement department_add{"user.department_add",
                                      "INSERT INTO user_departments(user_id,department) "
                                      "VALUES($1,$2) ON CONFLICT(user_id,department) "
                                      "DO NOTHING"};
inline const Statement department_clear{
    "user.department_clear", "DELETE FROM user_departments WHERE user_id=$1", {"PRIMARY"}};

inline const Statement department_members{
    "user.department_members",
    "SELECT d.department,COUNT(*) FROM user_departments d JOIN users u ON u.id=d.user_id WHERE "
    "u.disabled_at IS NULL GROUP BY d.department",
    {},
    true};
inline const Statement user_delete{"user.delete", "DELETE FROM users WHERE id=$1", {"PRIMARY"}};
// Who wrote, was given a conversation or did what is recorded stays known by name.
inline const Statement user_referenced{
    "user.referenced",
    "SELECT EXISTS(SELECT 1 FROM messages WHERE sender_id=$1 AND sender_type='staff') OR "
    "EXISTS(SELECT 1 FROM conversations WHERE assignee=$1) OR "
    "EXISTS(SELECT 1 FROM participants WHERE ref=$1 AND active=1) OR "
    "EXISTS(SELECT 1 FROM audit WHERE actor=$1)",
    {"messages_staff", "conversations_assignee", "participants_ref", "audit_actor"}};

/// GCRA: full_at is when the bucket is full again (data-model.md section 6).
inline const Statement rate_take{
    "rate.take",
    "INSERT INTO rate_buckets(name,full_at) VALUES($1,$2) ON CONFLICT(name) DO UPDATE SET "
    "full_at=CASE WHEN rate_buckets.full_at>$3 THEN rate_buckets.full_at ELSE $3 END+$4 WHERE "
    "rate_buckets.full_at<=$5 RETURNING full_at"};
inline const Statement rate_peek{
    "rate.peek", "SELECT full_at FROM rate_buckets WHERE name=$1", {"PRIMARY"}};

inline const Statement rate_return{
    "rate.return", "UPDATE rate_buckets SET full_at=full_at-$1 WHERE name=$2", {"PRIMARY"}};
inline const Statement rate_forget{
    "rate.forget", "DELETE FROM rate_buckets WHERE name=$1", {"PRIMARY"}};

inline const Statement session_add{
    "session.add",
    "INSERT INTO sessions(hash,user_id,created_at,seen_at,expires_at,remote,user_agent) "
    "VALUES($1,$2,$3,$4,$5,$6,$7)"};
inline const Statement session_get{
    "session.get",
    "SELECT user_id,created_at,seen_at,expires_at FROM sessions WHERE hash=$1",
    {"PRIMARY"}};
inline const Statement session_seen{
    "session.seen", "UPDATE sessions SET seen_at=$1 WHERE hash=$2", {"PRIMARY"}};
inline const Statement session_end{
    "session.end", "DELETE FROM sessions WHERE hash=$1", {"PRIMARY"}};
inline const Statement session_end_user{
    "session.end_user", "DELETE FROM sessions WHERE user_id=$1", {"sessions_user"}};
inline const Statement session_sweep{
    "session.sweep",
    "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE expires_at<$1 ORDER BY "
    "expires_at LIMIT 500)",
    {"sessions_expiry", "PRIMARY"}};

inline const Statement ticket_add{
    "ticket.add", "INSERT INTO tickets(hash,kind,subject,data,expires_at) VALUES($1,$2,$3,$4,$5)"};
inline const Statement ticket_find{
    "ticket.find",
    "SELECT subject FROM tickets WHERE hash=$1 AND kind=$2 AND expires_at>$3",
    {"PRIMARY"}};
inline const Statement ticket_use{
    "ticket.use",
    "DELETE FROM tickets WHERE hash=$1 AND kind=$2 AND expires_at>$3 RETURNING "
    "subject,data",
    {"PRIMARY"}};

inline const Statement ticket_drop_kind{
    "ticket.drop_kind", "DELETE FROM tickets WHERE kind=$1", {}, true};
// A sign-in that has ended: its tokens are refused until the last of them has expired.
inline const Statement ticket_withdraw{
    "ticket.withdraw",
    "INSERT INTO tickets(hash,kind,subject,expires_at) VALUES($1,'withdrawn',$2,$3) ON "
    "CONFLICT(hash) DO NOTHING"};
inline const Statement ticket_withdrawn{
    "ticket.withdrawn", "SELECT 1 FROM tickets WHERE hash=$1 AND kind='withdrawn'", {"PRIMARY"}};
inline const Statement ticket_sweep{
    "ticket.sweep",
    "DELETE FROM tickets WHERE hash IN (SELECT hash FROM tickets WHERE expires_at<$1 ORDER BY "
    "expires_at LIMIT 500)",
    {"tickets_expiry", "PRIMARY"}};
inline const Statement rate_sweep{
    "rate.sweep",
    "DELETE FROM rate_buckets WHERE name IN (SELECT name FROM rate_buckets WHERE full_at<$1 ORDER "
    "BY full_at LIMIT 500)",
    {"rate_buckets_old", "PRIMARY"}};

#define PATCHBAY_API_KEY_COLUMNS                                                                  \
    "SELECT "                                                                                     \
    "id,user_id,name,prefix,scopes,departments,expires_at,last_used_at,created_at FROM api_keys " \
    "WHERE revoked_at IS NULL AND "
inline const Statement api_key_get{"api_key.get", PATCHBAY_API_KEY_COLUMNS "id=$1", {"PRIMARY"}};
inline const Statement api_key_by_hash{
    "api_key.by_hash", PATCHBAY_API_KEY_COLUMNS "hash=$1", {"api_keys_hash"}};
inline const Statement api_key_list{
    "api_key.list", PATCHBAY_API_KEY_COLUMNS "id<$1 ORDER BY id DESC LIMIT $2", {"PRIMARY"}};
inline const Statement api_key_add{
    "api_key.add",
    "INSERT INTO api_keys(id,user_id,name,prefix,hash,scopes,departments,expires_at,created_at) "
    "VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9)"};
inline const Statement api_key_used{
    "api_key.used", "UPDATE api_keys SET last_used_at=$1 WHERE id=$2", {"PRIMARY"}};
inline const Statement api_key_revoke{
    "api_key.revoke",
    "UPDATE api_keys SET revoked_at=$1 WHERE id=$2 AND revoked_at IS NULL",
    {"PRIMARY"}};

#define PATCHBAY_AUDIT_COLUMNS                                                                 \
    "SELECT seq,at,actor_type,actor,action,object_type,object,remote,request_id,before,after," \
    "prev_hash,hash FROM audit "
inline const Statement audit_head{
    "audit.head", "SELECT seq,hash FROM audit ORDER BY seq DESC LIMIT 1", {"PRIMARY"}};
inline const Statement audit_add{
    "audit.add",
    "INSERT INTO audit(seq,at,actor_type,actor,action,object_type,object,remote,request_id,before,"
    "after,prev_hash,hash) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)"};
inline const Statement audit_walk{
    "audit.walk", PATCHBAY_AUDIT_COLUMNS "WHERE seq>$1 ORDER BY seq LIMIT $2", {"PRIMARY"}};
inline const Statement audit_list{
    "audit.list", PATCHBAY_AUDIT_COLUMNS "WHERE seq<$1 ORDER BY seq DESC LIMIT $2", {"PRIMARY"}};
inline const Statement audit_list_actor{"audit.list_actor",
                                        PATCHBAY_AUDIT_COLUMNS
                                        "WHERE actor=$1 AND seq<$2 ORDER BY seq DESC LIMIT $3",
                                        {"audit_actor"}};
inline const Statement audit_list_object{
    "audit.list_object",
    PATCHBAY_AUDIT_COLUMNS
    "WHERE object_type=$1 AND object=$2 AND seq<$3 ORDER BY seq DESC LIMIT $4",
    {"audit_object"}};
inline const Statement audit_trimmed{
    "audit.trimmed",
    "SELECT after FROM audit WHERE object_type='audit' AND object='' AND action='audit.trim' ORDER "
    "BY seq DESC LIMIT 1",
    {"audit_object"}};
inline const Statement audit_trim{"audit.trim", "DELETE FROM audit WHERE seq<=$1", {"PRIMARY"}};

}  // namespace patchbay::sql
