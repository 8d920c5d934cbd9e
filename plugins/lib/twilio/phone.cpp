#include "phone.hpp"

#include <patchbay/text.hpp>

namespace patchbay::twilio {

std::string e164(std::string_view text) {
    // A plus that was not encoded in a form or query arrives as a space.
    const bool lost_plus = text.starts_with(' ');
    text = trim(text);
    if (text.starts_with("whatsapp:")) text.remove_prefix(9);
    const bool has_plus = text.starts_with('+');
    if (has_plus) text.remove_prefix(1);
    std::string digits;
    for (const char c : text) {
        if (c >= '0' && c <= '9') {
            digits += c;
        } else if (std::string_view{" -()./"}.find(c) == std::string_view::npos) {
            return {};
        }
    }
    const bool has_zeros = !has_plus && !lost_plus && digits.starts_with("00");
    if (has_zeros) digits.erase(0, 2);
    // Bare digits are taken for a number with its country only where they are long enough to be
    // one.
    const size_t least = has_plus || lost_plus || has_zeros ? 7 : 10;
    const bool fits = digits.size() >= least && digits.size() <= 15 && digits.front() != '0';
    return fits ? "+" + digits : std::string{};
}

}  // namespace patchbay::twilio
