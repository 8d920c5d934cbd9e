// Phones as people write them.
#pragma once
#include <string>
#include <string_view>

namespace patchbay::twilio {

/// In E.164: blanks and punctuation left out, 00 or digits alone made a plus, "whatsapp:" before it
/// skipped. Empty: not a number. Twilio and the hub know better which numbers exist.
std::string e164(std::string_view text);

}  // namespace patchbay::twilio
