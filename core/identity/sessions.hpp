// Sessions of browsers: a cookie that no script can read (S63).
#pragma once
#include <optional>
#include <string>

#include "http/message.hpp"
#include "store/store.hpp"

namespace patchbay {

struct BrowserSession {
    std::string id;  ///< Made from the secret and telling nothing of it; the sign-in's id.
    std::string user_id;
    TimeMs started_at = 0;
    TimeMs seen_at = 0;     ///< As of the last few minutes.
    TimeMs expires_at = 0;  ///< 7 days after its start; sooner, 12 h after it was seen last.
};

/// What the cookie holds: 256 random bits. The store has only their SHA-256.
std::string make_session_secret();
std::string session_id_of(const std::string& secret);

/// Set-Cookie for a new session, and for one that has ended. The name's prefix makes browsers
/// insist on Secure, Path=/ and no Domain. They take such a cookie over https, and over plain http
/// from localhost and 127.0.0.1 (Chrome and Firefox do, Safari does not): there is no weaker form
/// for development, whose other way in is the bearer token of the same answer.
std::string session_cookie(const std::string& secret);
std::string ended_session_cookie();
/// The secret in a request's one Cookie header. Throws Problem unauthenticated when it is there
/// twice.
std::optional<std::string> session_secret_in(const HttpRequest& request);

void add_session(Transaction& tx, const BrowserSession& session, const std::string& address,
                 const std::string& user_agent);
/// nullopt for one that is unknown, has ended, is older than 7 days or was idle for 12 h.
std::optional<BrowserSession> find_session(Session& session, const std::string& secret, TimeMs now);
/// Notes, at most once in 5 minutes, that it was used. Does not wait.
void note_session_seen(Store& store, const BrowserSession& session, TimeMs now);
void end_session(Transaction& tx, const std::string& id);
void end_sessions_of(Transaction& tx, const std::string& user_id);

}  // namespace patchbay
