#include "messaging/segments.hpp"

#include "base/json.hpp"

namespace patchbay {
namespace {

constexpr std::string_view gsm_ascii =
    "@$ !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_\n\r";
constexpr std::string_view gsm_others = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
constexpr std::string_view gsm_extended = "^{}\\[~]|€";  // Two places each.

bool contains(std::string_view alphabet, std::string_view character) {
    return alphabet.find(character) != std::string_view::npos;
}

size_t parts(size_t units, size_t alone, size_t each) {
    return units <= alone ? (units > 0 ? 1 : 0) : (units + each - 1) / each;
}

}  // namespace

size_t sms_segments(std::string_view text) {
    size_t septets = 0, utf16 = 0;
    bool is_gsm = true;
    for (std::string_view rest = text; !rest.empty();) {
        const size_t size = std::max<size_t>(utf8_char_size(rest), 1);
        const std::string_view character = rest.substr(0, size);
        rest.remove_prefix(size);
        utf16 += size == 4 ? 2 : 1;
        if (contains(gsm_extended, character)) {
            septets += 2;
        } else {
            septets += 1;
            is_gsm = is_gsm && (contains(gsm_ascii, character) || contains(gsm_others, character));
        }
    }
    return is_gsm ? parts(septets, 160, 153) : parts(utf16, 70, 67);
}

}  // namespace patchbay
