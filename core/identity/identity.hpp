// Signing in: passwords, tokens, sessions, who calls.
#pragma once
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/current_config.hpp"
#include "http/exchange.hpp"
#include "identity/access.hpp"
#include "identity/access_changes.hpp"
#include "identity/api_keys.hpp"
#include "identity/audit_refusals.hpp"
#include "identity/own_pages.hpp"
#include "identity/passwords.hpp"
#include "identity/tokens.hpp"
#include "identity/users.hpp"

namespace patchbay {

struct SignInResult {
    std::string token;
    TimeMs expires_at = 0;
    User user;
    std::string session;  ///< What the cookie is to hold; empty: no session was asked for.
};

/// Where a sign-in comes from.
struct SignInFrom {
    std::string address, request_id{}, user_agent{};
    bool wants_session = false;                  ///< A browser's, with the cookie.
    std::chrono::milliseconds longest_token{0};  ///< Of a token that is to end earlier than ours.
                                                 ///< 0: none.
};

/// [any thread] Every call reads or writes the store and may block.
class Identity {
public:
    /// Makes the token key file if the configuration says that it is missing.
    Identity(const CurrentConfig& config, Store& store, Ids& ids, ScryptCost cost = {});

    /// Throws Problem invalid_credentials, rate_limited (tries of the account or of the address,
    /// S61), busy.
    SignInResult login(const std::string& email, const std::string& password,
                       const SignInFrom& from);

    /// A new token of the same sign-in, with no password. Throws Problem token_expired 7 days after
    /// the password was given. The user's session, if that is what they showed, goes on as it is.
    SignInResult refresh(const Caller& caller);

    /// Ends the caller's sign-in at once: its tokens, its session and what they hold open.
    void log_out(const Caller& caller);

    /// A token for a user without a password check: for the local operator. Throws Problem
    /// unknown_id when there is no active user.
    SignInResult token_for(const std::string& email_or_id, std::chrono::milliseconds ttl);

    /// Who the request comes from; an empty Caller without credentials. Throws Problem for bad
    /// ones. A caller by cookie has still to show that its page is ours (own_pages()).
    Caller caller_of(const HttpRequest& request);
    const OwnPages& own_pages() const { return own_pages_; }

    /// A secret for a one-time link, 30 min, with which a new user sets a password. To be shown
    /// once.
    std::string make_invite(Transaction& tx, const std::string& user_id);
    /// Sets the password of the invite's user and signs in. Throws Problem invalid_credentials for
    /// a used or old one.
    SignInResult accept_invite(const std::string& secret, const std::string& password,
                               const SignInFrom& from);

    /// A secret for the one-time link, 30 min, that makes the first owner; nullopt when there are
    /// users. An earlier one is void.
    std::optional<std::string> make_first_owner_link();
    /// Adds the owner and signs in. Throws Problem invalid_credentials for a link that is used or
    /// old, or when somebody has become a user meanwhile.
    SignInResult accept_first_owner(const std::string& secret, UserToAdd owner,
                                    const std::string& password, const SignInFrom& from);

    /// Adds a listener, which is told after the commit, on the writer's thread: it must be short,
    /// not throw and not write. Before the server starts.
    void on_access_change(AccessListener listener);
    /// What Store::on_changes told: reaches the listeners. [writer's thread]
    void tell(const Changes& changes) const;

    /// For refusals, which strangers can cause as often as they like.
    AuditRefusals& refusals() { return refusals_; }

    ApiKeys& api_keys() { return api_keys_; }
    Passwords& passwords() { return passwords_; }
    Store& store() { return store_; }
    Ids& ids() { return ids_; }
    const Clock& clock() const { return store_.clock(); }

private:
    struct SignIn;
    SignInResult sign_in(const User& user, const SignIn& how) const;
    SignInResult begin_sign_in(const User& user, const SignInFrom& from,
                               const std::string& fresh_hash);
    void require_link(const char* kind, const std::string& secret) const;
    Caller caller_by_token(std::string_view token) const;
    Caller caller_by_session(const std::string& secret);
    Store& store_;
    Ids& ids_;
    Passwords passwords_;
    Tokens tokens_;
    OwnPages own_pages_;
    AuditRefusals refusals_;
    ApiKeys api_keys_;
    std::vector<AccessListener> listeners_;
};

/// Deletes one batch each of sessions, tickets and throttles that are over, and of audit records of
/// over 400 days (S85). True: there is more.
bool sweep_sign_ins(Store& store);

/// Fills Exchange::caller. On public routes bad credentials are the same as none. What the cookie
/// of a browser changes must come from a page of ours (S6A); refusals (403) are recorded (S84).
Stage authenticate_api(Identity& identity);

/// Lets pass whom the route's roles admit (require_role).
Stage authorise();

}  // namespace patchbay
