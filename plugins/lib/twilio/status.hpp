// Twilio's words for what becomes of a message, the same for SMS, MMS and WhatsApp.
// Source: https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
#pragma once
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>

namespace patchbay::twilio {

/// accepted, scheduled, queued and sending are our `accepted`: Twilio has the message. nullopt for
/// a word that is not in Twilio's list, and for those of inbound messages.
std::optional<DeliveryStatus> delivery_status(std::string_view word);

/// receiving, received.
bool is_inbound_status(std::string_view word);

}  // namespace patchbay::twilio
