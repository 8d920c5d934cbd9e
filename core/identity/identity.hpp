// Signing in: passwords, tokens, who calls.
#pragma once
#include <chrono>
#include <string>

#include "config/hub_config.hpp"
#include "http/exchange.hpp"
#include "identity/access.hpp"
#include "identity/passwords.hpp"
#include "identity/tokens.hpp"
#include "identity/users.hpp"

namespace patchbay {

struct SignInResult {
    std::string token;
    TimeMs expires_at = 0;
    User user;
};

/// [any thread] Every call reads or writes the store and may block.
class Identity {
public:
    /// Makes the token key file if the configuration says that it is missing.
    Identity(const HubConfig& config, Store& store, Ids& ids, ScryptCost cost = {});

    /// Throws Problem invalid_credentials, rate_limited (failures of the account or of `address`,
    /// S61), busy.
    SignInResult login(const std::string& email, const std::string& password,
                       const std::string& address);

    /// A token for a user without a password check: for the local operator. Throws Problem
    /// unknown_id when there is no active user.
    SignInResult token_for(const std::string& email_or_id, std::chrono::milliseconds ttl);

    /// Who the request comes from; an empty Caller without credentials. Throws Problem for bad
    /// ones.
    Caller caller_of(const HttpRequest& request);

    /// A secret for a one-time link, 30 min, with which a new user sets a password. To be shown
    /// once.
    std::string make_invite(Transaction& tx, const std::string& user_id);
    /// Sets the password of the invite's user and signs in. Throws Problem invalid_credentials for
    /// a used or old one.
    SignInResult accept_invite(const std::string& secret, const std::string& password);

    Passwords& passwords() { return passwords_; }
    Store& store() { return store_; }
    Ids& ids() { return ids_; }
    const Clock& clock() const { return store_.clock(); }

private:
    SignInResult sign_in(const User& user, std::chrono::milliseconds ttl);
    Store& store_;
    Ids& ids_;
    Passwords passwords_;
    Tokens tokens_;
};

/// Fills Exchange::caller. On public routes bad credentials are the same as none.
Stage authenticate_api(Identity& identity);

/// Lets pass whom the route's roles admit (require_role).
Stage authorise();

}  // namespace patchbay
