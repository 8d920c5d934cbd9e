// Encodings that every plugin needs. All functions are pure; decoders are strict and answer nullopt
// for what is not exactly right.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace patchbay {

/// Well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. NUL is well-formed.
bool is_utf8(std::string_view bytes);

inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Without blanks (space, tab, CR, LF) at either end.
inline std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

/// ASCII letters only: independent of the locale.
inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline std::string ascii_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = ascii_lower(c);
    return lower;
}

inline bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/// 0..15, or -1.
inline int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Lower case.
inline std::string to_hex(std::string_view bytes) {
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        hex += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
        hex += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
    }
    return hex;
}

/// Either case, an even number of digits.
inline std::optional<std::string> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(hex.size() / 2);
    for (size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_value(hex[i]), low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high << 4 | low);
    }
    return bytes;
}

namespace detail {
inline constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view base64url_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

inline std::string encode64(std::string_view bytes, std::string_view digits, bool padded) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t group = 0;
        const size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
        for (size_t k = 0; k < 3; ++k)
            group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0u);
        for (size_t k = 0; k < 4; ++k) {
            if (k <= count)
                text += digits[group >> (18 - 6 * k) & 63];
            else if (padded)
                text += '=';
        }
    }
    return text;
}

// `text` without padding. Bits that no byte uses must be zero, so that each value has one spelling.
inline std::optional<std::string> decode64(std::string_view text, std::string_view digits) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    uint32_t group = 0, bits = 0;
    for (const char c : text) {
        const size_t value = digits.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        group = group << 6 | static_cast<uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>(group >> bits & 255);
    }
    if ((group & ((1u << bits) - 1)) != 0) return std::nullopt;
    return bytes;
}
}  // namespace detail

/// RFC 4648 with padding.
inline std::string to_base64(std::string_view bytes) {
    return detail::encode64(bytes, detail::base64_digits, true);
}
/// Padding required, no blanks, no spare bits.
inline std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    return detail::decode64(text, detail::base64_digits);
}

/// RFC 4648 section 5 without padding, as JWT writes it.
inline std::string to_base64url(std::string_view bytes) {
    return detail::encode64(bytes, detail::base64url_digits, false);
}
/// Padding refused.
inline std::optional<std::string> from_base64url(std::string_view text) {
    return detail::decode64(text, detail::base64url_digits);
}

/// RFC 3986: all but letters, digits and -._~ becomes %XX. Right for path segments, query values
/// and forms.
inline std::string percent_encode(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (const char c : bytes) {
        if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
            text += c;
        } else {
            text += '%';
            text += "0123456789ABCDEF"[static_cast<uint8_t>(c) >> 4];
            text += "0123456789ABCDEF"[static_cast<uint8_t>(c) & 15];
        }
    }
    return text;
}

/// Each % must be followed by two hex digits. The result may be any bytes: ask is_utf8.
inline std::optional<std::string> percent_decode(std::string_view text,
                                                 bool plus_is_space = false) {
    std::string bytes;
    bytes.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            bytes += static_cast<char>(high << 4 | low);
            i += 2;
        } else {
            bytes += plus_is_space && text[i] == '+' ? ' ' : text[i];
        }
    }
    return bytes;
}

/// Compares without telling by its duration where the first difference is. Different lengths differ
/// at once.
inline bool equal_secrets(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < a.size(); ++i)
        difference = difference | static_cast<uint8_t>(a[i] ^ b[i]);
    return difference == 0;
}

namespace detail {
// Length of the sequence that begins at bytes[0], or 0 when it is not well-formed (Unicode table
// 3-7).
inline size_t utf8_sequence(std::string_view bytes) {
    const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
    const uint8_t lead = at(0);
    if (lead < 0x80) return 1;
    const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                          : (lead & 0xF0) == 0xE0        ? 3
                          : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                         : 0;
    if (length == 0 || bytes.size() < length) return 0;
    const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;  // no overlong forms
    const uint8_t high = lead == 0xED   ? 0x9F
                         : lead == 0xF4 ? 0x8F
                                        : 0xBF;  // no surrogates, nothing above U+10FFFF
    if (at(1) < low || at(1) > high) return 0;
    for (size_t i = 2; i < length; ++i)
        if ((at(i) & 0xC0) != 0x80) return 0;
    return length;
}
}  // namespace detail

inline bool is_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        const size_t length = detail::utf8_sequence(bytes);
        if (length == 0) return false;
        bytes.remove_prefix(length);
    }
    return true;
}

}  // namespace patchbay
