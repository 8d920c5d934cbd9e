// Which of Twilio's messages the hub has connected with messages of its own.
#pragma once
#include <patchbay/sdk.hpp>
#include <set>
#include <string>

namespace patchbay::twilio {

/// The provider ids of the other messages to the same contact, in all conversations, back to a day
/// before `since_ms`. Throws Error(unavailable) when they cannot all be read.
std::set<std::string> linked_to_others(const Host& host, const OutboundMessage& message,
                                       int64_t since_ms);

}  // namespace patchbay::twilio
