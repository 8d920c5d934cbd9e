#include "delivery/webhooks.hpp"

#include <patchbay/text.hpp>
#include <set>

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "delivery/webhook_statements.hpp"
#include "messaging/changes.hpp"

namespace patchbay {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr size_t secret_bytes = 24;

std::string topics_json(const std::vector<std::string>& topics) {
    JsonArray list = make_array();
    for (const std::string& topic : topics) list->add(topic);
    return to_json(JsonValue(list));
}

Webhook webhook_of(const Row& row) {
    Webhook webhook;
    webhook.id = row.text(0);
    webhook.url = row.text(1);
    const JsonArray topics = parse_json(row.text(2)).extract<JsonArray>();
    for (const auto& topic : *topics) webhook.topics.push_back(topic.extract<std::string>());
    webhook.description = row.text(3);
    webhook.paused_reason = row.maybe_text(4);
    webhook.failing_since = row.maybe_number(5);
    webhook.created_by = row.text(6);
    webhook.created_at = row.number(7);
    webhook.updated_at = row.number(8);
    webhook.slot = row.number(9);
    return webhook;
}

std::string sealing_context(const std::string& id) { return "webhook:" + id; }

}  // namespace

bool Webhook::wants(std::string_view topic) const {
    return std::any_of(topics.begin(), topics.end(),
                       [&](const std::string& pattern) { return topic_fits(pattern, topic); });
}

std::string Webhook::queue() const { return "webhooks:" + std::to_string(slot); }

const std::vector<std::string>& webhook_topics() {
    static const std::vector<std::string> topics = {
        changes::message_created,      changes::message_status,      changes::conversation_created,
        changes::conversation_updated, changes::conversation_closed, changes::conversation_read};
    return topics;
}

bool topic_fits(std::string_view pattern, std::string_view topic) {
    if (pattern == "*" || pattern == topic) return true;
    return pattern.ends_with(".*") && topic.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool is_webhook_topic(std::string_view topic) {
    const auto& all = webhook_topics();
    return std::find(all.begin(), all.end(), topic) != all.end();
}

bool is_topic_pattern(const std::string& pattern) {
    const auto& all = webhook_topics();
    const bool is_open = pattern == "*" || (pattern.size() > 2 && pattern.ends_with(".*"));
    if (!is_open) return std::find(all.begin(), all.end(), pattern) != all.end();
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& topic) { return topic_fits(pattern, topic); });
}

std::optional<Webhook> find_webhook(Session& session, const std::string& id) {
    const auto row = session.first(sql::webhook_get, {id});
    if (!row) return std::nullopt;
    return webhook_of(*row);
}

std::vector<Webhook> list_webhooks(Session& session) {
    std::vector<Webhook> all;
    for (const Row& row : session.run(sql::webhook_list)) all.push_back(webhook_of(row));
    return all;
}

std::optional<std::string> add_webhook(Transaction& tx, Ids& ids, const NewWebhook& wanted,
                                       TimeMs now) {
    std::set<int64_t> taken;
    for (const Webhook& one : list_webhooks(tx)) taken.insert(one.slot);
    if (taken.size() >= most_webhooks) return std::nullopt;
    int64_t slot = 1;
    while (taken.contains(slot)) ++slot;
    const std::string id = ids.uuid();
    tx.run(sql::webhook_add, {id, wanted.url, topics_json(wanted.topics), wanted.description,
                              wanted.created_by, now, slot});
    return id;
}

void change_webhook(Transaction& tx, const Webhook& webhook, TimeMs now) {
    tx.run(sql::webhook_change,
           {webhook.url, topics_json(webhook.topics), webhook.description,
            nullable(webhook.paused_reason), nullable(webhook.failing_since), now, webhook.id});
}

bool drop_webhook(Transaction& tx, const std::string& id) {
    return tx.change(sql::webhook_drop, {id}) > 0;
}

std::string make_webhook_secret() {
    return std::string{secret_prefix} + to_base64(random_bytes(secret_bytes));
}

void set_webhook_secret(Transaction& tx, const Sealer& sealer, const std::string& id,
                        const std::string& secret, TimeMs now) {
    const auto newest = tx.first(sql::webhook_secret_list, {id});
    tx.run(sql::webhook_secret_drop_old, {id});
    tx.run(sql::webhook_secret_expire,
           {now + std::chrono::milliseconds{old_secret_life}.count(), id});
    // The time is part of the key: two in one millisecond must not meet.
    const TimeMs created = newest ? std::max(now, newest->number(2) + 1) : now;
    tx.run(sql::webhook_secret_add, {id, created, Blob{sealer.seal(secret, sealing_context(id))}});
}

std::vector<std::string> webhook_secrets(Session& session, const Sealer& sealer,
                                         const std::string& id, TimeMs now) {
    std::vector<std::string> secrets;
    for (const Row& row : session.run(sql::webhook_secret_list, {id})) {
        if (row.maybe_number(1).value_or(INT64_MAX) <= now) continue;
        if (auto secret = sealer.open(row.bytes(0), sealing_context(id))) {
            secrets.push_back(std::move(*secret));
        }
    }
    return secrets;
}

std::string webhook_signature(const std::vector<std::string>& secrets, const std::string& id,
                              const std::string& timestamp, std::string_view body) {
    const std::string content = id + "." + timestamp + "." + std::string{body};
    std::string header;
    for (const std::string& secret : secrets) {
        const auto key = from_base64(secret.substr(secret_prefix.size()));
        if (!header.empty()) header += ' ';
        header += "v1," + to_base64(hmac_sha256(key.value_or(""), content));
    }
    return header;
}

}  // namespace patchbay
