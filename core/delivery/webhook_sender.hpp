// Tells one event to one receiver, signed as Standard Webhooks says, again and again until it
// answers 2xx or the schedule is over. At least once: the receiver knows repeats by webhook-id.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "delivery/jobs.hpp"
#include "delivery/verdict.hpp"
#include "delivery/webhook_feed.hpp"
#include "http/client.hpp"

namespace patchbay {

/// Handler of the queues webhooks:<slot>. [any thread]
class WebhookSender {
public:
    struct Needs {
        Store& store;
        Ids& ids;
        HttpClient& client;  ///< public_only: the URLs come from data.
        const Sealer& sealer;
        std::string owner;  ///< This process, as in table workers.
        /// What is told of the object, as the API shows it now. nullopt: it is gone, and nothing is
        /// told.
        std::function<std::optional<JsonObject>(Session&, const WebhookEvent&)> data;
        /// A webhook was paused. After the commit.
        std::function<void()> paused;
        /// A call that was cut because the hub stops says nothing of its receiver.
        std::function<bool()> stopping = [] { return false; };
    };
    explicit WebhookSender(Needs needs) : needs_(std::move(needs)) {}

    /// Throws LeaseLost.
    void run(const ClaimedJob& job);

private:
    struct Outgoing;
    std::optional<Outgoing> read(const ClaimedJob& job, const WebhookEvent& event,
                                 std::string& why_not);
    TryResult call(const Outgoing& outgoing);
    void drop(const ClaimedJob& job, const std::string& why);
    void conclude(const ClaimedJob& job, const Outgoing& outgoing, const TryResult& result,
                  TimeMs began);

    Needs needs_;
};

}  // namespace patchbay
