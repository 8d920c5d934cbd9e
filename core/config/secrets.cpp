#include "config/secrets.hpp"

#include <algorithm>

namespace patchbay {
namespace {

/// "plugins.sms.config.rules[0].auth_token[1]" -> "auth_token"
std::string_view last_word(std::string_view path) {
    while (path.ends_with(']')) path = path.substr(0, path.rfind('['));
    const size_t dot = path.rfind('.');
    return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

struct Password {
    size_t begin = std::string_view::npos, size = 0;
};

Password password_in(std::string_view url) {
    const size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    const size_t end = url.find_first_of("/?#", scheme + 3);
    const size_t at = url.substr(0, end).rfind('@');
    const size_t colon = url.find(':', scheme + 3);
    if (at == std::string_view::npos || colon >= at) return {};
    return {colon + 1, at - colon - 1};
}

}  // namespace

bool is_secret_key(std::string_view key) {
    const std::string_view word = last_word(key);
    for (const char* end : {"_ttl", "_url", "_file", "_base", "_after"}) {
        if (word.ends_with(end)) return false;
    }
    for (const char* part :
         {"token", "secret", "password", "passphrase", "api_key", "private_key"}) {
        if (word.find(part) != std::string_view::npos) return true;
    }
    return false;
}

bool is_known_secret(std::string_view value) {
    constexpr std::string_view known[] = {"sandbox_auth_token", "sandbox_api_secret", "change-me",
                                          "changeme", "secret"};
    return std::find(std::begin(known), std::end(known), value) != std::end(known);
}

bool has_password(std::string_view url) { return password_in(url).size > 0; }

std::string without_password(std::string url) {
    const Password password = password_in(url);
    if (password.size > 0) url.replace(password.begin, password.size, hidden_secret);
    return url;
}

}  // namespace patchbay
