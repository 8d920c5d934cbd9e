// Twilio's error codes: what they mean where Twilio says no more than the number, and which word of
// ours they are. A callback as a rule has only the code.
// Source: https://www.twilio.com/docs/api/errors
#pragma once
#include <string>
#include <string_view>

namespace patchbay::twilio {

/// The one error that says that the recipient wants nothing more from us.
inline constexpr std::string_view recipient_opted_out = "21610";

/// A few words; empty for a code that is not in the table.
std::string_view words_for(std::string_view code);

/// The code of a problem of ours: recipient_opted_out, window_closed, invalid_phone_number, else
/// provider_refused.
std::string refusal_code(std::string_view code);

/// The account or its sender is set up wrongly, or cannot pay: every other message will fail in the
/// same way, so an operator has to look.
bool is_for_the_operator(std::string_view code);

}  // namespace patchbay::twilio
