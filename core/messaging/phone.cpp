#include "messaging/phone.hpp"

#include <phonenumbers/phonenumberutil.h>

namespace patchbay {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

std::string_view without_prefix(std::string_view text, std::string_view prefix) {
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

std::string trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return std::string{text.substr(first, text.find_last_not_of(" \t") - first + 1)};
}

// Only what people put between digits; anything else is a typing mistake that must not be guessed
// away.
bool is_phone_text(std::string_view text) {
    return text.find_first_not_of("0123456789+-() ./") == std::string_view::npos;
}

}  // namespace

std::optional<std::string> to_e164(std::string_view text) {
    std::string number = trimmed(without_prefix(text, "whatsapp:"));
    if (number.starts_with("00")) number = "+" + number.substr(2);
    // Bare digits with their country code, as some clients write them (X24); a leading zero is a
    // national number.
    if (number.size() >= 10 && number.find_first_not_of("0123456789") == std::string::npos &&
        number.front() != '0') {
        number = "+" + number;
    }
    if (!number.starts_with('+') || !is_phone_text(number)) return std::nullopt;

    const PhoneNumberUtil& util = *PhoneNumberUtil::GetInstance();
    PhoneNumber parsed;
    if (util.Parse(number, "ZZ", &parsed) != PhoneNumberUtil::NO_PARSING_ERROR) return std::nullopt;
    if (!util.IsPossibleNumber(parsed)) return std::nullopt;
    std::string e164;
    util.Format(parsed, PhoneNumberUtil::E164, &e164);
    return e164;
}

std::string phone_variant(const std::string& e164) {
    struct Plan {
        std::string_view country, mark;
        size_t area;  // Digits between the two.
    };
    // Brazil's ninth digit, Argentina's 9 and Mexico's 1 of mobile numbers.
    constexpr Plan plans[] = {{"+55", "9", 2}, {"+54", "9", 0}, {"+52", "1", 0}};
    constexpr size_t national = 10;
    for (const auto& [country, mark, area] : plans) {
        if (!e164.starts_with(country)) continue;
        const size_t at = country.size() + area;
        const bool is_short = e164.size() == country.size() + national;
        const bool is_long = e164.size() == country.size() + national + 1 &&
                             e164.compare(at, mark.size(), mark) == 0;
        std::string other = e164;
        if (is_short) return other.insert(at, mark);
        if (is_long) return other.erase(at, mark.size());
    }
    return {};
}

std::optional<Address> parse_address(std::string_view text) {
    for (const std::string_view kind : {"email", "user", "chat"}) {
        if (text.starts_with(kind) && text.size() > kind.size() + 1 && text[kind.size()] == ':') {
            return Address{std::string{kind}, std::string{text.substr(kind.size() + 1)}};
        }
    }
    if (auto number = to_e164(text)) return Address::phone(*number);
    return std::nullopt;
}

}  // namespace patchbay
