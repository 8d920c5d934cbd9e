// messaging/1 for plugins: contacts, conversations and messages by id, and sending with a wait for
// the first outcome.
#pragma once
#include <functional>
#include <patchbay/services.hpp>
#include <string>

#include "delivery/outbox.hpp"
#include "delivery/outcome_board.hpp"
#include "messaging/mint.hpp"
#include "plugins/host_services.hpp"

namespace patchbay {

struct MessagingService {
    Store& store;
    Mint& mint;
    OutcomeBoard& outcomes;
    std::function<SendLimits(const std::string& channel)> limits;
    std::function<void(const std::string& channel)> wake;   ///< After a commit that queued a send.
    std::function<std::vector<std::string>()> departments;  ///< Display names, as they are now.
    /// Whether an instance of this name carries messages, also while it is off.
    std::function<bool(const std::string& channel)> is_channel;
    /// Whether a closed conversation there is opened again rather than a new one. Empty: nowhere.
    std::function<bool(const std::string& channel)> reopens{};
    /// Of bulk messages in 24 hours.
    std::function<int64_t(const std::string& channel)> bulk_per_day{};
    /// Of the sends of an instance.
    std::function<messaging::ChannelState(const std::string& channel)> state{};
};

/// What a plugin wants to send, for queue_message. Throws Error(not_found): no such channel.
Draft draft_of(const MessagingService& service, const messaging::NewMessage& message,
               const std::string& trace);
/// A refusal as plugins see it.
Error error_of(const SendRefused& refused);

/// `service` is kept by the registered functions; what it refers to outlives the plugins.
/// send_message blocks the caller for NewMessage::wait at most.
void register_messaging_service(HostServices& services, MessagingService service);

}  // namespace patchbay
