// The people who sign in.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "store/store.hpp"

namespace patchbay {

inline constexpr std::string_view user_roles[] = {"owner", "admin",  "expert",
                                                  "agent", "viewer", "api"};

struct User {
    std::string id, email, name, role;
    int64_t number = 0, token_version = 1;
    std::optional<TimeMs> disabled_at;
    TimeMs created_at = 0, updated_at = 0;
    std::string password_hash;  ///< PHC; empty: none set.
    std::vector<std::string> departments;
    bool active() const { return !disabled_at; }
};

/// E-mail addresses are compared without blanks around them and without regard to case.
std::string folded_email(std::string_view email);
bool is_email(std::string_view email);

std::optional<User> find_user(Session& session, const std::string& id_or_number);
std::optional<User> find_user_by_email(Session& session, std::string_view email);
/// In order of creation, from after `after` (an id; empty: the first).
std::vector<User> list_users(Session& session, const std::string& after, int64_t limit);

struct UserToAdd {
    std::string email, name, role;
    std::vector<std::string> departments;
    std::string password_hash;  ///< Empty: cannot sign in by password yet.
};
/// Throws Problem email_taken.
User add_user(Transaction& tx, Ids& ids, const UserToAdd& user, TimeMs now);

/// What is absent stays. A change of role, activity or departments ends the user's tokens (S65).
struct UserChange {
    std::optional<std::string> name{}, role{};
    std::optional<bool> active{};
    std::optional<std::vector<std::string>> departments{};
};
/// Throws Problem unknown_id, last_owner.
User change_user(Transaction& tx, const std::string& id, const UserChange& change, TimeMs now);

/// Ends all tokens that were given before, unless the hash only replaces an outdated one.
void set_password(Transaction& tx, const std::string& user_id, const std::string& phc,
                  bool ends_tokens, TimeMs now);

/// What belongs to the user alone goes too: sessions, API keys, departments. Throws Problem
/// unknown_id, last_owner, referenced.
void delete_user(Transaction& tx, const std::string& id);

}  // namespace patchbay
