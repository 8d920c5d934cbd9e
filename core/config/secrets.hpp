// Which keys hold secrets, and how a text is shown that has one in it.
#pragma once
#include <string>
#include <string_view>

namespace patchbay {

/// Whether a key holds a secret by its name: auth_token, api_key, app_secret, ... but not token_ttl
/// or token_url. Takes a path as well: its last word decides.
bool is_secret_key(std::string_view key);

/// Values that everybody knows: they stand in the development configuration and in examples.
bool is_known_secret(std::string_view value);

/// Without the password of `scheme://user:password@host`.
std::string without_password(std::string url);
bool has_password(std::string_view url);

inline constexpr std::string_view hidden_secret = "***";

}  // namespace patchbay
