// API keys: programs that act in nobody's name (S66).
#pragma once
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "http/exchange.hpp"
#include "identity/users.hpp"

namespace patchbay {

/// What a key may be allowed to do, in the words of RouteSpec::roles.
const std::vector<std::string>& api_scopes();

struct ApiKey {
    std::string id{}, user_id{};  ///< Whose: the key ends with the user's right to make keys.
    std::string name{};
    std::string prefix{};  ///< The key's first characters, to find it by.
    std::vector<std::string> scopes{}, departments{};
    std::optional<TimeMs> expires_at{}, last_used_at{};
    TimeMs created_at = 0;
};

/// pb_live_ + 32 random bytes in base64url + 6 characters that check them, 57 in all:
/// pb_live_[A-Za-z0-9_-]{49}. The check, the first 4 bytes of SHA-256 over what stands before it,
/// tells scanners and us a key from a look-alike without asking the database.
bool is_api_key(std::string_view text);
bool looks_like_api_key(std::string_view text);

/// [any thread]
class ApiKeys {
public:
    /// The pepper is made in `state_folder`/api_keys.pepper when the first key is. Without it no
    /// key is good, so a backup of the database needs it too.
    ApiKeys(Store& store, Ids& ids, std::filesystem::path state_folder);

    struct Made {
        ApiKey key;
        std::string secret;  ///< The key itself: shown once, kept by nobody.
    };
    /// `key` without id, prefix and times.
    Made add(Transaction& tx, ApiKey key, TimeMs now);
    /// False when there is none.
    bool revoke(Transaction& tx, const std::string& id, TimeMs now);

    /// Throws Problem unauthenticated or token_expired.
    Caller caller_of(std::string_view secret);

private:
    std::string hash_of(std::string_view secret);
    Store& store_;
    Ids& ids_;
    const std::filesystem::path pepper_file_;
    std::mutex mutex_;
    std::string pepper_;
};

std::optional<ApiKey> find_api_key(Session& session, const std::string& id);
/// Those that are not revoked, the newest first, from before `before` (an id; "g": the newest).
std::vector<ApiKey> list_api_keys(Session& session, const std::string& before, int64_t limit);

}  // namespace patchbay
