// From what is noted in a transaction to the webhooks that are owed for it, in the same
// transaction: what is committed is told, at least once, and nothing else.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "delivery/webhooks.hpp"

namespace patchbay {

/// What one job of a webhook's queue has to tell.
struct WebhookEvent {
    std::string webhook_id, type, object;
    TimeMs at = 0;
    /// Of message.status, as it was then: by the time it is told another may stand there.
    std::string status, code, reason;

    std::string payload() const;
    static WebhookEvent from_payload(const std::string& payload);
};

class WebhookFeed {
public:
    /// Follows the store from now on. `wake` is called on the writer thread, before the commit:
    /// whoever is woken claims behind it.
    WebhookFeed(Store& store, Ids& ids, std::function<void(const std::string& queue)> wake);
    ~WebhookFeed();

    /// Who else follows, in the same transaction; the store has room for one. Empty: nobody.
    using Follower = std::function<void(Transaction&, const Changes&)>;
    void also_follow(Follower other);

    /// After a webhook was added, changed, paused or dropped. [any thread]
    void reload();

private:
    using Webhooks = std::shared_ptr<const std::vector<Webhook>>;
    void follow(Transaction& tx, const Changes& changes);
    void tell(Transaction& tx, const Webhook& webhook, const WebhookEvent& event);

    Store& store_;
    Ids& ids_;
    const std::function<void(const std::string&)> wake_;
    std::mutex mutex_;
    std::shared_ptr<const Follower> other_;
    Webhooks webhooks_;  ///< Those that are not paused.
};

}  // namespace patchbay
