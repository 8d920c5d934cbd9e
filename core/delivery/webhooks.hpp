// Outgoing webhooks: who wants to hear of what, and the secrets they check our signature with.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "identity/sealer.hpp"
#include "store/store.hpp"

namespace patchbay {

inline constexpr size_t most_webhooks = 32;
/// An old secret signs beside the new one for so long.
inline constexpr std::chrono::hours old_secret_life{24};

struct Webhook {
    std::string id, url, description, created_by;
    std::vector<std::string> topics;  ///< "message.created", "message.*", "*"
    std::optional<std::string> paused_reason;
    std::optional<TimeMs> failing_since;  ///< No delivery went well since.
    TimeMs created_at = 0, updated_at = 0;
    int64_t slot = 0;

    bool wants(std::string_view topic) const;
    std::string queue() const;
};

/// The words of messaging/changes.hpp.
const std::vector<std::string>& webhook_topics();
bool is_webhook_topic(std::string_view topic);
/// Whether a pattern ("message.created", "message.*", "*") takes a topic.
bool topic_fits(std::string_view pattern, std::string_view topic);
/// One of them, "*", or the first part of one and ".*".
bool is_topic_pattern(const std::string& pattern);

std::optional<Webhook> find_webhook(Session& session, const std::string& id);
std::vector<Webhook> list_webhooks(Session& session);  ///< Newest first.

struct NewWebhook {
    std::string url, description, created_by;
    std::vector<std::string> topics;
};
/// Its id; nullopt: there are as many as there may be.
std::optional<std::string> add_webhook(Transaction& tx, Ids& ids, const NewWebhook& wanted,
                                       TimeMs now);
/// Writes url, description, topics, paused_reason and failing_since.
void change_webhook(Transaction& tx, const Webhook& webhook, TimeMs now);
/// With its secrets. What is queued for it ends unsent.
bool drop_webhook(Transaction& tx, const std::string& id);

/// "whsec_" and 24 random bytes in base64, as Standard Webhooks writes them.
std::string make_webhook_secret();
/// The one before it goes on signing for old_secret_life; older ones end.
void set_webhook_secret(Transaction& tx, const Sealer& sealer, const std::string& id,
                        const std::string& secret, TimeMs now);
/// The newest first; empty when none can be opened.
std::vector<std::string> webhook_secrets(Session& session, const Sealer& sealer,
                                         const std::string& id, TimeMs now);

/// The value of webhook-signature (Standard Webhooks): one "v1,..." for each secret.
std::string webhook_signature(const std::vector<std::string>& secrets, const std::string& id,
                              const std::string& timestamp, std::string_view body);

}  // namespace patchbay
