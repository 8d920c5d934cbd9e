// The one redaction function (S82). One pass; only bytes that can begin something to hide are
// looked at twice.
#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <optional>
#include <shared_mutex>

#include "base/log.hpp"

namespace patchbay {
namespace {

constexpr std::string_view hidden = "***";
constexpr size_t shortest_secret = 6;
constexpr size_t shortest_token = 8;  // "bearer token" in a sentence stays readable.

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
bool is_base64(char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/'; }
bool is_token(char c) {
    return is_base64(c) || c == '-' || c == '_' || c == '.' || c == '=' || c == '~';
}
bool is_value(char c) {
    return static_cast<unsigned char>(c) > ' ' && !std::strchr("\"',;&<>{}[]()", c);
}

template <class Accept>
size_t run_length(std::string_view text, Accept accept) {
    size_t n = 0;
    while (n < text.size() && accept(text[n])) ++n;
    return n;
}

bool begins(std::string_view text, std::string_view lower_case) {
    if (text.size() < lower_case.size()) return false;
    for (size_t i = 0; i < lower_case.size(); ++i) {
        const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 32) : text[i];
        if (c != lower_case[i]) return false;
    }
    return true;
}

/// What to put in the place of [from, to).
struct Hit {
    size_t from = 0, to = 0;
    std::string replacement{};
};

struct Secrets {
    std::vector<std::string> values;
    std::array<bool, 256> first{};
};

std::shared_mutex& secrets_mutex() {
    static std::shared_mutex mutex;
    return mutex;
}
Secrets& secrets() {
    static Secrets all;
    return all;
}

std::optional<Hit> phone_at(std::string_view text, size_t at, size_t sign_size) {
    std::string digits;
    size_t end = at + sign_size;
    for (size_t i = end; i < text.size() && digits.size() < 16; ++i) {
        if (is_digit(text[i])) {
            digits += text[i];
            end = i + 1;
        } else if (digits.empty() || i != end || (text[i] != ' ' && text[i] != '-')) {
            break;  // One blank or dash may stand between groups.
        }
    }
    if (digits.size() < 8 || digits.size() > 15) return std::nullopt;
    return Hit{at, end, std::string(text.substr(at, sign_size)) + redacted_digits(digits)};
}

/// A number without its plus, as providers echo it. What is shorter, longer or part of a word may
/// be an id, and ids have to stay readable.
std::optional<Hit> bare_phone_at(std::string_view text, size_t at) {
    const auto joins = [](char c) {
        return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
    };
    if (at > 0 && joins(text[at - 1])) return std::nullopt;
    const size_t size = run_length(text.substr(at), is_digit);
    if (size < 10 || size > 15) return std::nullopt;
    const size_t end = at + size;
    if (end < text.size() && (is_alpha(text[end]) || text[end] == '_' || text[end] == '-'))
        return std::nullopt;
    return Hit{at, end, redacted_digits(text.substr(at, size))};
}

/// Tokens that say by their beginning what they are: keys, tickets and secrets of the hub.
std::optional<Hit> own_token_at(std::string_view text, size_t at) {
    static constexpr std::string_view beginnings[] = {"pb_live_", "wst_", "whsec_"};
    const std::string_view rest = text.substr(at);
    for (const auto beginning : beginnings) {
        if (!rest.starts_with(beginning)) continue;
        const size_t size = run_length(rest, is_token);
        if (size < beginning.size() + shortest_token) continue;
        return Hit{at + beginning.size(), at + size, std::string(hidden)};
    }
    return std::nullopt;
}

std::optional<Hit> scheme_at(std::string_view text, size_t at) {
    const std::string_view rest = text.substr(at);
    const size_t word = begins(rest, "bearer ") ? 7 : rest.substr(0, 6) == "Basic " ? 6 : 0;
    if (!word) return std::nullopt;
    const size_t size = run_length(rest.substr(word), is_token);
    if (size < shortest_token) return std::nullopt;
    return Hit{at + word, at + word + size, std::string(hidden)};
}

/// Cookie: a=b; c=d and Authorization: whatever; to the end of the line or of the quoted text.
std::optional<Hit> header_at(std::string_view text, size_t at) {
    static constexpr std::string_view names[] = {"authorization", "set-cookie", "cookie"};
    const std::string_view rest = text.substr(at);
    for (const auto name : names) {
        if (!begins(rest, name)) continue;
        size_t i = name.size();
        i += run_length(rest.substr(i), [](char c) { return c == '"' || c == ' '; });
        if (i >= rest.size() || rest[i] != ':') continue;
        ++i;
        i += run_length(rest.substr(i), [](char c) { return c == '"' || c == ' '; });
        for (const std::string_view scheme : {"bearer ", "basic "})
            if (begins(rest.substr(i), scheme)) i += scheme.size();
        const size_t size =
            run_length(rest.substr(i), [](char c) { return c != '"' && c != '\n' && c != '\r'; });
        if (size == 0) continue;
        return Hit{at + i, at + i + size, std::string(hidden)};
    }
    return std::nullopt;
}

/// token=..., "signature": "...", X-Hub-Signature-256: sha256=...
std::optional<Hit> named_value_at(std::string_view text, size_t at) {
    static constexpr std::string_view names[] = {"token",   "signature-256", "signature",
                                                 "secret",  "password",      "sha256",
                                                 "api_key", "cookie",        "ticket"};
    const std::string_view rest = text.substr(at);
    for (const auto name : names) {
        if (!begins(rest, name)) continue;
        size_t i = name.size();
        i += run_length(rest.substr(i), [](char c) { return c == '"' || c == ' '; });
        if (i >= rest.size() || (rest[i] != '=' && rest[i] != ':')) continue;
        const bool colon = rest[i] == ':';
        ++i;
        i += run_length(rest.substr(i), [](char c) { return c == '"' || c == ' ' || c == '\''; });
        const size_t size = run_length(rest.substr(i), is_value);
        // After a colon prose may follow: "auth_token: expected text". Not so in JSON.
        const bool quoted = rest[i - 1] == '"' && rest[name.size()] == '"';
        if (size == 0 || (colon && !quoted && size < 16)) continue;
        return Hit{at + i, at + i + size, std::string(hidden)};
    }
    return std::nullopt;
}

std::optional<Hit> jwt_at(std::string_view text, size_t at) {
    const std::string_view rest = text.substr(at);
    if (rest.substr(0, 3) != "eyJ") return std::nullopt;
    const std::string_view token = rest.substr(0, run_length(rest, is_token));
    if (token.size() < 20 || token.find('.') == std::string_view::npos) return std::nullopt;
    return Hit{at, at + token.size(), std::string(hidden)};
}

/// A bare HMAC in base64 ends in one '=': 27 characters before it for SHA-1 (Twilio), 43 for
/// SHA-256.
std::optional<Hit> digest_ending_at(std::string_view text, size_t at, size_t floor) {
    size_t begin = at;
    while (begin > floor && at - begin <= 43 && is_base64(text[begin - 1])) --begin;
    const size_t size = at - begin;
    if (size != 27 && size != 43) return std::nullopt;
    return Hit{begin, at + 1, std::string(hidden)};
}

std::optional<Hit> secret_at(const Secrets& all, std::string_view text, size_t at) {
    for (const auto& value : all.values) {
        if (text.compare(at, value.size(), value) == 0) {
            return Hit{at, at + value.size(), std::string(hidden)};
        }
    }
    return std::nullopt;
}

std::optional<Hit> pattern_at(std::string_view text, size_t at, size_t floor) {
    switch (text[at] | 32) {
        case '+' | 32:
            return phone_at(text, at, 1);
        case '%' | 32:
            return text.substr(at, 3) == "%2B" ? phone_at(text, at, 3) : std::nullopt;
        case 'b':
            return scheme_at(text, at);
        case 'e':
            return jwt_at(text, at);
        case '=' | 32:
            return text[at] == '=' ? digest_ending_at(text, at, floor) : std::nullopt;
        case 'a':
        case 'c':
        case 's':
            if (auto hit = header_at(text, at)) return hit;
            return named_value_at(text, at);
        case 'p':
        case 't':
            if (auto hit = own_token_at(text, at)) return hit;
            return named_value_at(text, at);
        case 'w':
            return own_token_at(text, at);
        default:
            return is_digit(text[at]) ? bare_phone_at(text, at) : std::nullopt;
    }
}

std::string percent_encoded(std::string_view value) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : value) {
        if (is_alpha(c) || is_digit(c) || std::strchr("-._~", c)) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return out;
}

}  // namespace

std::string redacted_digits(std::string_view digits) {
    if (digits.size() < 8) return std::string(hidden);
    return std::string(digits.substr(0, 2)) + "*****" +
           std::string(digits.substr(digits.size() - 4));
}

std::string redact(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    std::shared_lock lock(secrets_mutex());
    const Secrets& all = secrets();
    size_t copied = 0;
    for (size_t at = 0; at < text.size();) {
        std::optional<Hit> hit;
        if (all.first[static_cast<unsigned char>(text[at])]) hit = secret_at(all, text, at);
        if (!hit) hit = pattern_at(text, at, copied);
        if (!hit) {
            ++at;
            continue;
        }
        out += text.substr(copied, hit->from - copied);
        out += hit->replacement;
        at = copied = hit->to;
    }
    out += text.substr(copied);
    return out;
}

void register_secret(std::string_view value) {
    if (value.size() < shortest_secret) return;
    std::unique_lock lock(secrets_mutex());
    Secrets& all = secrets();
    for (const auto& form : {std::string(value), percent_encoded(value)}) {
        if (std::find(all.values.begin(), all.values.end(), form) != all.values.end()) continue;
        all.first[static_cast<unsigned char>(form[0])] = true;
        all.values.push_back(form);
    }
    // Longest first, so that a secret that begins with another is hidden as a whole.
    std::sort(all.values.begin(), all.values.end(),
              [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

}  // namespace patchbay
