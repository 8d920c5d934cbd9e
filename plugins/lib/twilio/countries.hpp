// Which country a phone number belongs to.
#pragma once
#include <string_view>

namespace patchbay::twilio {

/// ISO 3166 alpha-2 of an E.164 number, by the numbering plans of the ITU. Empty for satellites,
/// premium and personal numbers, and for what no country has.
std::string_view country_of(std::string_view e164);

/// Whether any number belongs to this country ("DE").
bool is_country(std::string_view code);

}  // namespace patchbay::twilio
