// SQL of outgoing webhooks: at most 32 subscriptions.
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

#define PATCHBAY_WEBHOOK_COLUMNS                                                          \
    "SELECT id,url,topics,description,paused_reason,failing_since,created_by,created_at," \
    "updated_at,slot FROM webhook_subscriptions "
inline const Statement webhook_get{
    "webhook.get", PATCHBAY_WEBHOOK_COLUMNS "WHERE id=$1", {"PRIMARY"}};
inline const Statement webhook_list{
    "webhook.list", PATCHBAY_WEBHOOK_COLUMNS "ORDER BY id DESC", {}, true};
inline const Statement webhook_add{
    "webhook.add",
    "INSERT INTO webhook_subscriptions(id,url,topics,description,created_by,created_at,updated_at,"
    "slot) VALUES($1,$2,$3,$4,$5,$6,$6,$7)"};
inline const Statement webhook_change{
    "webhook.change",
    "UPDATE webhook_subscriptions SET url=$1,topics=$2,description=$3,paused_reason=$4,"
    "failing_since=$5,updated_at=$6 WHERE id=$7",
    {"PRIMARY"}};
inline const Statement webhook_drop{
    "webhook.drop", "DELETE FROM webhook_subscriptions WHERE id=$1", {"PRIMARY"}};
inline const Statement webhook_pause{
    "webhook.pause",
    "UPDATE webhook_subscriptions SET paused_reason=$1,updated_at=$2 WHERE id=$3 AND paused_reason "
    "IS NULL",
    {"PRIMARY"}};
inline const Statement webhook_fails{
    "webhook.fails",
    "UPDATE webhook_subscriptions SET failing_since=$1 WHERE id=$2 AND failing_since IS NULL",
    {"PRIMARY"}};
inline const Statement webhook_works{
    "webhook.works",
    "UPDATE webhook_subscriptions SET failing_since=NULL WHERE id=$1 AND failing_since IS NOT NULL",
    {"PRIMARY"}};

inline const Statement webhook_secret_add{
    "webhook_secret.add",
    "INSERT INTO webhook_secrets(subscription_id,created_at,sealed) VALUES($1,$2,$3)"};
inline const Statement webhook_secret_list{
    "webhook_secret.list",
    "SELECT sealed,expires_at,created_at FROM webhook_secrets WHERE subscription_id=$1 ORDER BY "
    "created_at DESC",
    {"PRIMARY"}};
inline const Statement webhook_secret_drop_old{
    "webhook_secret.drop_old",
    "DELETE FROM webhook_secrets WHERE subscription_id=$1 AND expires_at IS NOT NULL",
    {"PRIMARY"}};
inline const Statement webhook_secret_expire{
    "webhook_secret.expire",
    "UPDATE webhook_secrets SET expires_at=$1 WHERE subscription_id=$2 AND expires_at IS NULL",
    {"PRIMARY"}};

inline const Statement webhook_message_status{
    "webhook.message_status",
    "SELECT status,error_code,error_reason FROM messages WHERE id=$1",
    {"PRIMARY"}};

}  // namespace patchbay::sql
