#include "identity/users.hpp"

#include <charconv>
#include <patchbay/text.hpp>

#include "http/problem.hpp"
#include "identity/access_changes.hpp"
#include "identity/sessions.hpp"
#include "identity/statements.hpp"

namespace patchbay {
namespace {

User from_row(const Row& row) {
    User user;
    user.id = row.text(0);
    user.number = row.number(1);
    user.email = row.text(2);
    user.name = row.text(3);
    user.role = row.text(4);
    user.token_version = row.number(5);
    user.disabled_at = row.maybe_number(6);
    user.created_at = row.number(7);
    user.updated_at = row.number(8);
    user.password_hash = row.text_or(9, "");
    return user;
}

void load_departments(Session& session, User& user) {
    for (const Row& row : session.run(sql::department_list, {user.id})) {
        user.departments.push_back(row.text(0));
    }
}

std::optional<User> loaded(Session& session, const std::optional<Row>& row) {
    if (!row) return std::nullopt;
    User user = from_row(*row);
    load_departments(session, user);
    return user;
}

void replace_departments(Transaction& tx, const std::string& user_id,
                         const std::vector<std::string>& departments) {
    tx.run(sql::department_clear, {user_id});
    for (const auto& department : departments) tx.run(sql::department_add, {user_id, department});
}

bool is_last_owner(Session& session, const std::string& id) {
    return session.first(sql::user_owners, {id})->number(0) == 0;
}

Problem last_owner() { return Problem("last_owner", "The hub needs an active owner."); }

}  // namespace

std::string folded_email(std::string_view email) { return ascii_lower(trim(email)); }

bool is_email(std::string_view email) {
    const size_t at = email.find('@');
    return email.size() <= 254 && at != std::string_view::npos && at > 0 && at + 1 < email.size() &&
           email.find('@', at + 1) == std::string_view::npos && is_utf8(email) &&
           email.find_first_of(" \t\r\n<>\",;") == std::string_view::npos;
}

std::optional<User> find_user(Session& session, const std::string& id_or_number) {
    int64_t number = 0;
    const char* end = id_or_number.data() + id_or_number.size();
    const auto [rest, error] = std::from_chars(id_or_number.data(), end, number);
    if (error == std::errc{} && rest == end) {
        return loaded(session, session.first(sql::user_by_number, {number}));
    }
    return loaded(session, session.first(sql::user_get, {id_or_number}));
}

std::optional<User> find_user_by_email(Session& session, std::string_view email) {
    return loaded(session, session.first(sql::user_by_email, {folded_email(email)}));
}

std::vector<User> list_users(Session& session, const std::string& after, int64_t limit) {
    std::vector<User> users;
    for (const Row& row : session.run(sql::user_list, {after, limit})) {
        users.push_back(from_row(row));
    }
    for (User& user : users) load_departments(session, user);
    return users;
}

User add_user(Transaction& tx, Ids& ids, const UserToAdd& user, TimeMs now) {
    const std::string email = folded_email(user.email);
    if (tx.first(sql::user_by_email, {email})) {
        throw Problem("email_taken", "A user with this e-mail address exists.");
    }
    const std::string id = ids.uuid();
    const int64_t number = tx.first(sql::user_number)->number(0);
    const Value hash = user.password_hash.empty() ? Value{} : Value{user.password_hash};
    tx.run(sql::user_insert, {id, number, email, user.name, user.role, hash, now, now});
    replace_departments(tx, id, user.departments);
    return *find_user(tx, id);
}

User change_user(Transaction& tx, const std::string& id, const UserChange& change, TimeMs now) {
    const auto user = find_user(tx, id);
    if (!user) throw Problem("unknown_id", "There is no such user.");
    const std::string role = change.role.value_or(user->role);
    const bool active = change.active.value_or(user->active());
    const bool stays_owner = role == "owner" && active;
    if (user->role == "owner" && user->active() && !stays_owner && is_last_owner(tx, user->id)) {
        throw last_owner();
    }
    const bool rights_change = role != user->role || active != user->active() ||
                               (change.departments && *change.departments != user->departments);
    const Value disabled_at = active ? Value{} : Value{user->disabled_at.value_or(now)};
    tx.run(sql::user_change, {change.name.value_or(user->name), role, disabled_at,
                              int64_t{rights_change}, now, user->id});
    if (change.departments) replace_departments(tx, user->id, *change.departments);
    if (!active) end_sessions_of(tx, user->id);
    if (rights_change) {
        note_access_change(
            tx, {.user_id = user->id,
                 .kind = active ? AccessChange::Kind::rights_changed : AccessChange::Kind::ended});
    }
    return *find_user(tx, user->id);
}

void delete_user(Transaction& tx, const std::string& id) {
    const auto user = find_user(tx, id);
    if (!user) throw Problem("unknown_id", "There is no such user.");
    if (user->role == "owner" && user->active() && is_last_owner(tx, user->id)) throw last_owner();
    const Problem referenced("referenced",
                             "The user wrote messages or did what is on record: "
                             "deactivate it instead.");
    if (tx.first(sql::user_referenced, {user->id})->number(0) != 0) throw referenced;
    try {
        tx.run(sql::user_delete, {user->id});
        note_access_change(tx, {.user_id = user->id});
    } catch (const StoreError& error) {
        // A plugin's table may refer to it.
        if (error.kind == StoreError::Kind::constraint) throw referenced;
        throw;
    }
}

void set_password(Transaction& tx, const std::string& user_id, const std::string& phc,
                  bool ends_tokens, TimeMs now) {
    tx.run(sql::user_password, {phc, int64_t{ends_tokens}, now, user_id});
    if (!ends_tokens) return;
    end_sessions_of(tx, user_id);
    note_access_change(tx, {.user_id = user_id});
}

}  // namespace patchbay
