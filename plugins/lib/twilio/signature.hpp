// The other side of X-Twilio-Signature: what Twilio signs. The hub checks signatures itself; this
// is for playing Twilio. Source: https://www.twilio.com/docs/usage/security#validating-requests
#pragma once
#include <patchbay/form.hpp>
#include <string>

namespace patchbay::twilio {

/// The URL as it is called, then every field by name in byte order, name and value with nothing
/// between; of a repeated name each different value once, sorted.
std::string signed_text(const std::string& url, const Form& form);

}  // namespace patchbay::twilio
