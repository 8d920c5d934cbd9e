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

/// GCRA: full_at is when the bucket is full again (data-model.md section 6).
inline const Statement rate_take{
    "rate.take",
    "INSERT INTO rate_buckets(name,full_at) VALUES($1,$2) ON CONFLICT(name) DO UPDATE SET "
    "full_at=CASE WHEN rate_buckets.full_at>$3 THEN rate_buckets.full_at ELSE $3 END+$4 WHERE "
    "rate_buckets.full_at<=$5 RETURNING full_at"};
inline const Statement rate_peek{
    "rate.peek", "SELECT full_at FROM rate_buckets WHERE name=$1", {"PRIMARY"}};

inline const Statement ticket_add{
    "ticket.add", "INSERT INTO tickets(hash,kind,subject,data,expires_at) VALUES($1,$2,$3,$4,$5)"};
inline const Statement ticket_use{
    "ticket.use",
    "DELETE FROM tickets WHERE hash=$1 AND kind=$2 AND expires_at>$3 RETURNING subject",
    {"PRIMARY"}};

}  // namespace patchbay::sql
