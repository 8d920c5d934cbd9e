#include "identity/api_keys.hpp"

#include <chrono>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "identity/access.hpp"
#include "identity/access_changes.hpp"
#include "identity/statements.hpp"
#include "identity/tokens.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view mark = "pb_live_";
constexpr size_t check_chars = 6;
constexpr size_t key_chars = 8 + 43 + check_chars;
constexpr size_t shown_chars = 8 + 6;
constexpr int64_t used_every = std::chrono::milliseconds{1min}.count();

std::string check_of(std::string_view text) { return to_base64url(sha256(text).substr(0, 4)); }

std::string json_of(const std::vector<std::string>& texts) {
    JsonArray array = make_array();
    for (const auto& text : texts) array->add(text);
    return to_json(JsonValue(array));
}

std::vector<std::string> texts_of(const std::string& json) {
    std::vector<std::string> texts;
    const JsonValue value = parse_json(json);
    for (const auto& one : *value.extract<JsonArray>()) texts.push_back(one.extract<std::string>());
    return texts;
}

ApiKey from_row(const Row& row) {
    return {.id = row.text(0),
            .user_id = row.text(1),
            .name = row.text(2),
            .prefix = row.text(3),
            .scopes = texts_of(row.text(4)),
            .departments = texts_of(row.text(5)),
            .expires_at = row.maybe_number(6),
            .last_used_at = row.maybe_number(7),
            .created_at = row.number(8)};
}

/// A key is made by who may manage keys, and is worth nothing without them.
bool answers_for_keys(const std::optional<User>& user) {
    return user && user->active() && (user->role == "owner" || user->role == "admin");
}

}  // namespace

const std::vector<std::string>& api_scopes() {
    static const std::vector<std::string> scopes = {
        "chat:guest",    "config:read",    "contacts:write",  "deliveries:read",
        "hotel:write",   "inquiries:read", "inquiries:write", "messages:bulk",
        "messages:read", "messages:send",  "messages:write",  "metrics:read",
        "ops",           "sheets:read",    "sms:read",        "sms:send",
        "verify"};
    return scopes;
}

bool looks_like_api_key(std::string_view text) { return text.starts_with(mark); }

bool is_api_key(std::string_view text) {
    return looks_like_api_key(text) && text.size() == key_chars &&
           check_of(text.substr(0, key_chars - check_chars)) ==
               text.substr(key_chars - check_chars);
}

ApiKeys::ApiKeys(Store& store, Ids& ids, std::filesystem::path state_folder)
    : store_(store), ids_(ids), pepper_file_(std::move(state_folder) / "api_keys.pepper") {}

std::string ApiKeys::hash_of(std::string_view secret) {
    const std::lock_guard lock(mutex_);
    if (pepper_.empty()) pepper_ = make_token_key(pepper_file_.string());
    return hmac_sha256(pepper_, secret);
}

ApiKeys::Made ApiKeys::add(Transaction& tx, ApiKey key, TimeMs now) {
    std::string secret = std::string(mark) + to_base64url(random_bytes(32));
    secret += check_of(secret);
    key.id = ids_.uuid();
    key.prefix = secret.substr(0, shown_chars);
    key.created_at = now;
    tx.run(sql::api_key_add,
           {key.id, key.user_id, key.name, key.prefix, Blob{hash_of(secret)}, json_of(key.scopes),
            json_of(key.departments), nullable(key.expires_at), now});
    return {std::move(key), std::move(secret)};
}

bool ApiKeys::revoke(Transaction& tx, const std::string& id, TimeMs now) {
    if (tx.change(sql::api_key_revoke, {now, id}) == 0) return false;
    note_access_change(tx, {.user_id = id, .credential = id});
    return true;
}

Caller ApiKeys::caller_of(std::string_view secret) {
    if (!is_api_key(secret)) throw unauthenticated();
    const Blob hash{hash_of(secret)};
    std::optional<ApiKey> key;
    const auto user = store_.read([&](Session& session) -> std::optional<User> {
        const auto row = session.first(sql::api_key_by_hash, {hash});
        if (!row) return std::nullopt;
        key = from_row(*row);
        return find_user(session, key->user_id);
    });
    if (!key || !answers_for_keys(user)) throw unauthenticated();
    const TimeMs now = store_.clock().now_ms();
    if (key->expires_at && *key->expires_at <= now) throw token_expired();
    if (now - key->last_used_at.value_or(0) >= used_every) {
        store_.run_async(sql::api_key_used, {now, key->id}, {}, Urgency::background);
    }
    Caller caller;
    caller.kind = "key";
    caller.id = caller.credential = key->id;
    caller.name = key->name;
    caller.role = "api";
    caller.number = user->number;
    caller.email = user->email;
    caller.departments = key->departments;
    caller.scopes = {key->scopes.begin(), key->scopes.end()};
    caller.expires_at = key->expires_at.value_or(0);
    return caller;
}

std::optional<ApiKey> find_api_key(Session& session, const std::string& id) {
    const auto row = session.first(sql::api_key_get, {id});
    if (!row) return std::nullopt;
    return from_row(*row);
}

std::vector<ApiKey> list_api_keys(Session& session, const std::string& before, int64_t limit) {
    std::vector<ApiKey> keys;
    for (const Row& row : session.run(sql::api_key_list, {before, limit})) {
        keys.push_back(from_row(row));
    }
    return keys;
}

}  // namespace patchbay
