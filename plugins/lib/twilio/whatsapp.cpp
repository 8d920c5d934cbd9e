#include "whatsapp.hpp"

#include <algorithm>
#include <patchbay/text.hpp>

#include "events.hpp"

namespace patchbay::twilio {
namespace {

constexpr std::string_view prefix = "whatsapp:";
constexpr size_t longest_user_id = 140;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

Address whatsapp_address(std::string_view text) {
    if (trim(text).starts_with(prefix)) {
        text = trim(text);
        text.remove_prefix(prefix.size());
    }
    return sms_address(text);
}

std::string whatsapp_text(const Address& address) {
    return address.value.empty() ? std::string{} : std::string{prefix} + address.value;
}

bool is_user_id(std::string_view text) {
    if (text.size() < 4 || text.size() > longest_user_id) return false;
    return is_upper(text[0]) && is_upper(text[1]) && text[2] == '.' &&
           std::all_of(text.begin() + 3, text.end(),
                       [](char c) { return is_alphanumeric(c) || c == '.'; });
}

}  // namespace patchbay::twilio
