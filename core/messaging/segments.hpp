// What a text costs as SMS.
#pragma once
#include <cstddef>
#include <string_view>

namespace patchbay {

/// Parts of an SMS that carry the text (3GPP TS 23.038 and 23.040): 160 characters of the GSM
/// alphabet or 70 UTF-16 units in one; 153 or 67 in each of several. 0 for an empty text.
size_t sms_segments(std::string_view text);

}  // namespace patchbay
