// WhatsApp at Twilio: the same Messages API, with addresses that begin with "whatsapp:" and rules
// of its own.
// Source: https://www.twilio.com/docs/whatsapp/api
#pragma once
#include <optional>
#include <patchbay/form.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ledger.hpp"

namespace patchbay::sandbox {

/// Why Twilio does not take a message.
struct Refused {
    int code;
    const char* message;
};

bool is_whatsapp(std::string_view address);

/// Of a message to create of which one address is WhatsApp's. `senders`: with their prefix; none:
/// every sender is ours.
std::optional<Refused> whatsapp_fault_in(const Form& form, const std::vector<std::string>& senders);

/// No template, and the customer's last message is over a day old: Twilio takes it all the same,
/// and fails it later with 63016. One who never wrote counts as one who wrote today, since nobody
/// waits for a day here.
bool is_outside_window(const Ledger& ledger, const Message& message);

/// What a webhook of a customer's message and a status callback have more.
void add_whatsapp_fields(Form& form, const Message& message, const std::string& profile_name);
void add_whatsapp_status(Form& form, const Message& message);

}  // namespace patchbay::sandbox
