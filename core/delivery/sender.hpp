// Sends one message: marks the job, calls the plugin, writes what became of it (guarantees sections
// 3 and 5).
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "delivery/channel_gate.hpp"
#include "delivery/jobs.hpp"
#include "delivery/outbound.hpp"
#include "delivery/outcome_board.hpp"
#include "store/store.hpp"

namespace patchbay {

/// A message's status rose, by a send, a look-up or its end. Callbacks tell theirs in
/// StatusApplied.
struct MessageChange {
    std::string message_id, conversation_id, channel, status;
    std::string code, reason;
};

/// What the parts of delivery share. `changed` runs on a worker, after the commit: short, no throw.
struct DeliveryContext {
    Store& store;
    Ids& ids;
    OutcomeBoard& outcomes;
    std::string owner;  ///< This process, as in table workers.
    std::function<void(const MessageChange&)> changed;
    std::function<void(const std::string& queue)> wake;
};

/// The handler of one channel's queue. [any thread]
class Sender {
public:
    Sender(DeliveryContext& context, std::shared_ptr<ChannelGate> gate);
    void run(ClaimedJob& job);

private:
    bool end_without_sending(const ClaimedJob& job, const std::optional<Outgoing>& outgoing);
    void end(const ClaimedJob& job, const std::string& state, const std::string& status,
             const std::string& code, const std::string& reason);
    void hand_back(const ClaimedJob& job, std::chrono::milliseconds pause, const std::string& why);
    void mark(ClaimedJob& job);
    TryResult call_plugin(PluginLease& plugin, const ClaimedJob& job,
                          const OutboundMessage& message);
    void conclude(const ClaimedJob& job, const Outgoing& outgoing, const TryResult& result,
                  TimeMs began);
    void conclude_if_lost(ClaimedJob& job, const Outgoing& outgoing, TimeMs began);

    DeliveryContext& context_;
    std::shared_ptr<ChannelGate> gate_;
};

/// Tells the board and the listeners; after the commit.
void announce(DeliveryContext& context, const MessageChange& change, Verdict verdict,
              const std::string& provider_id);

}  // namespace patchbay
