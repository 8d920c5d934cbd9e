// Phone numbers as people and providers write them, brought to E.164 (X24).
#pragma once
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>

namespace patchbay {

/// "+27 12 345 6789", "whatsapp:+27..", "0027..": E.164 with plus. nullopt for letters, a missing
/// country code, an impossible length, or a number that libphonenumber knows cannot exist. [any
/// thread]
std::optional<std::string> to_e164(std::string_view text);

/// The address a request's `to` means: a phone, or, where the text has a prefix such as "user:",
/// that kind. nullopt: nothing usable.
std::optional<Address> parse_address(std::string_view text);

/// The same mobile phone as some networks write it: WhatsApp tells numbers of Brazil, Argentina and
/// Mexico with and without a digit that was put in later. Empty: there is no other form.
std::string phone_variant(const std::string& e164);

}  // namespace patchbay
