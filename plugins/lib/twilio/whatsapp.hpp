// How WhatsApp's people are written at Twilio: "whatsapp:+15558675310", or
// "whatsapp:US.13491208655302741918" for one who hides the number.
// Source: https://www.twilio.com/docs/whatsapp/api
#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>

namespace patchbay::twilio {

/// Phones as E.164, anybody else as a `user`. The prefix may be missing.
Address whatsapp_address(std::string_view text);

/// As Twilio takes it; empty for an empty address.
std::string whatsapp_text(const Address& address);

/// A business-scoped id: two letters for the country, a dot, and what the business knows the person
/// by, as in US.1349 or IN.ENT.9081.
bool is_user_id(std::string_view text);

}  // namespace patchbay::twilio
