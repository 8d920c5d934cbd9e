// Bearer tokens: JWT with HS256 and key ids. Every claim is checked here (S64).
#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace patchbay {

struct TokenClaims {
    std::string user_id;
    int64_t token_version = 0;  ///< Below the user's: withdrawn.
    std::string sign_in;        ///< Id of the sign-in, which all its tokens share.
    TimeMs signed_in_at = 0;    ///< When the password was given.
    TimeMs issued_at = 0, expires_at = 0;
};
inline constexpr std::chrono::milliseconds longest_token_life = std::chrono::hours{24};

/// [any thread]
class Tokens {
public:
    /// The first key signs, all are accepted; each has 32 characters or more. The key id is made
    /// from the key.
    Tokens(const std::vector<std::string>& keys, std::chrono::milliseconds ttl);

    /// `claims` as they are, times in whole seconds. A token lives for 24 h at most.
    std::string sign(const TokenClaims& claims) const;
    /// Throws Problem unauthenticated or token_expired.
    TokenClaims verify(std::string_view token, TimeMs now) const;
    std::chrono::milliseconds ttl() const { return ttl_; }

private:
    struct Key {
        std::string id, secret;
    };
    const Key* find(std::string_view id) const;
    std::vector<Key> keys_;
    std::chrono::milliseconds ttl_;
};

/// Makes the key file that the development configuration may name before it exists (32 random bytes
/// in base64, mode 0600) and returns its content. A file that another process made meanwhile is
/// read instead. Throws std::runtime_error.
std::string make_token_key(const std::string& file);

}  // namespace patchbay
