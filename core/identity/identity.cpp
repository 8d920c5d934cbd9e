#include "identity/identity.hpp"

#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "identity/audit.hpp"
#include "identity/login_limits.hpp"
#include "identity/sessions.hpp"
#include "identity/statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds invite_life = 30min;
constexpr std::chrono::milliseconds keep_audit = std::chrono::days{400};
constexpr std::chrono::milliseconds longest_sign_in = std::chrono::days{7};

std::vector<std::string> token_keys(const HubConfig& config) {
    std::vector<std::string> keys = config.auth.token_keys;
    if (!config.auth.missing_key_file.empty()) {
        keys.push_back(make_token_key(config.auth.missing_key_file.string()));
    }
    return keys;
}

std::string_view bearer(const HttpRequest& request) {
    const auto header = request.header("Authorization");
    if (!header) {
        if (request.count("Authorization") > 1) throw unauthenticated();
        return {};
    }
    if (header->size() < 8 || ascii_lower(header->substr(0, 7)) != "bearer ") {
        throw unauthenticated();
    }
    return trim(header->substr(7));
}

Caller local_operator() {
    Caller caller;
    caller.kind = "local";
    caller.id = "local";
    caller.name = "Local operator";
    caller.role = "owner";
    return caller;
}

constexpr const char* invite = "invite";
constexpr const char* first_owner = "first_owner";

Problem used_link() {
    return Problem("invalid_credentials", "The link is used or older than 30 minutes.");
}

/// Whether a request of this route could do something in somebody's name.
bool acts(const Exchange& exchange) {
    const std::string& method = exchange.request().method;
    const bool reads = method == "GET" || method == "HEAD" || method == "OPTIONS";
    return !reads || exchange.route->spec.socket;
}

std::string code_in(const Response& response) {
    try {
        return text_at(parse_json_object(std::string_view(response.body)), "code").value_or("");
    } catch (const JsonError&) {
        return {};
    }
}

void record_refusal(Identity& identity, const ExchangePtr& exchange, const Response& response) {
    AuditRecord record = audit_of(exchange, "request.refused", "route", exchange->route->spec.name);
    record.after = make_object();
    record.after->set("code", code_in(response));
    identity.refusals().note(std::move(record));
}

AuditRecord record_of_sign_in(const char* action, const std::string& user_id,
                              const SignInFrom& from) {
    return {.action = action,
            .object_type = "user",
            .object = user_id,
            .actor_type = user_id.empty() ? "anonymous" : "user",
            .actor = user_id,
            .remote = from.address,
            .request_id = from.request_id};
}

}  // namespace

/// What the tokens of one sign-in have in common.
struct Identity::SignIn {
    std::string id;
    TimeMs at = 0;
    TimeMs until = 0;  ///< No token of it lives longer.
};

Identity::Identity(const CurrentConfig& config, Store& store, Ids& ids, ScryptCost cost)
    : store_(store),
      ids_(ids),
      passwords_(cost),
      tokens_(token_keys(*config.get()), config.get()->auth.token_ttl),
      own_pages_(config),
      refusals_(store),
      api_keys_(store, ids, config.get()->state_folder()) {}

SignInResult Identity::sign_in(const User& user, const SignIn& how) const {
    const TimeMs now = clock().now_ms();
    SignInResult out;
    out.token = tokens_.sign({.user_id = user.id,
                              .token_version = user.token_version,
                              .sign_in = how.id,
                              .signed_in_at = how.at,
                              .issued_at = now,
                              .expires_at = how.until});
    out.expires_at = tokens_.verify(out.token, now).expires_at;
    out.user = user;
    return out;
}

SignInResult Identity::begin_sign_in(const User& user, const SignInFrom& from,
                                     const std::string& fresh_hash) {
    const TimeMs now = clock().now_ms();
    // Also without a session the id is one that nobody can guess.
    const std::string secret = make_session_secret();
    const auto life = from.longest_token.count() > 0 ? std::min(from.longest_token, tokens_.ttl())
                                                     : tokens_.ttl();
    const SignIn how{session_id_of(secret), now, now + life.count()};
    store_.write([&](Transaction& tx) {
        if (!fresh_hash.empty()) set_password(tx, user.id, fresh_hash, false, now);
        tx.run(sql::user_signed_in, {now, user.id});
        if (from.wants_session) {
            add_session(tx, {.id = how.id, .user_id = user.id, .started_at = now}, from.address,
                        from.user_agent);
        }
        append_audit(tx, record_of_sign_in("login", user.id, from), now);
    });
    SignInResult out = sign_in(user, how);
    if (from.wants_session) out.session = secret;
    return out;
}

SignInResult Identity::login(const std::string& email, const std::string& password,
                             const SignInFrom& from) {
    LoginLimits limits(store_, email, from.address);
    limits.take();
    const auto user =
        store_.read([&](Session& session) { return find_user_by_email(session, email); });
    const bool known = user && user->active();
    bool right = false;
    try {
        // Hashes for unknown users too: the time must not tell them apart.
        right = passwords_.matches(password, known ? user->password_hash : "");
    } catch (const Problem&) {
        limits.give_back();  // Busy: nothing was tried.
        throw;
    }
    if (!right) {
        // Who tried is not known, only as whom.
        AuditRecord record = record_of_sign_in("login.failed", "", from);
        if (user) record.object = user->id;
        refusals_.note(std::move(record));
        throw Problem("invalid_credentials", "E-mail address or password is wrong.");
    }
    limits.give_back();
    std::string fresh;
    if (passwords_.is_outdated(user->password_hash)) fresh = passwords_.hash(password);
    return begin_sign_in(*user, from, fresh);
}

SignInResult Identity::refresh(const Caller& caller) {
    const TimeMs now = clock().now_ms();
    const SignIn how{
        caller.credential, caller.signed_in_at,
        std::min(now + tokens_.ttl().count(), caller.signed_in_at + longest_sign_in.count())};
    // A second is the least that a token can live.
    if (how.until < now + 1000) throw token_expired();
    const auto user = store_.read([&](Session& session) { return find_user(session, caller.id); });
    if (!user || !user->active()) throw unauthenticated();
    return sign_in(*user, how);
}

void Identity::log_out(const Caller& caller) {
    store_.write([&](Transaction& tx) {
        const TimeMs now = clock().now_ms();
        tx.run(sql::ticket_withdraw, {Blob{sha256(caller.credential)}, caller.id,
                                      now + longest_token_life.count() + 1000});
        end_session(tx, caller.credential);
        note_access_change(tx, {.user_id = caller.id, .credential = caller.credential});
    });
}

SignInResult Identity::token_for(const std::string& email_or_id, std::chrono::milliseconds ttl) {
    const auto user = store_.read([&](Session& session) {
        return email_or_id.find('@') == std::string::npos
                   ? find_user(session, email_or_id)
                   : find_user_by_email(session, email_or_id);
    });
    if (!user || !user->active()) throw Problem("unknown_id", "There is no such active user.");
    const TimeMs now = clock().now_ms();
    const auto life = ttl.count() ? ttl : tokens_.ttl();
    return sign_in(*user, {session_id_of(make_session_secret()), now, now + life.count()});
}

Caller Identity::caller_by_token(std::string_view token) const {
    const TokenClaims claims = tokens_.verify(token, clock().now_ms());
    const auto user = store_.read([&](Session& session) -> std::optional<User> {
        if (session.first(sql::ticket_withdrawn, {Blob{sha256(claims.sign_in)}})) return {};
        return find_user(session, claims.user_id);
    });
    if (!user || !user->active() || user->token_version != claims.token_version) {
        throw unauthenticated();
    }
    Caller caller = caller_from(*user);
    caller.credential = claims.sign_in;
    caller.signed_in_at = claims.signed_in_at;
    caller.expires_at = claims.expires_at;
    return caller;
}

Caller Identity::caller_by_session(const std::string& secret) {
    const TimeMs now = clock().now_ms();
    std::optional<BrowserSession> known;
    const auto user = store_.read([&](Session& session) -> std::optional<User> {
        known = find_session(session, secret, now);
        return known ? find_user(session, known->user_id) : std::nullopt;
    });
    if (!user || !user->active()) throw unauthenticated();
    note_session_seen(store_, *known, now);
    Caller caller = caller_from(*user);
    caller.credential = known->id;
    caller.signed_in_at = known->started_at;
    caller.expires_at = known->started_at + longest_sign_in.count();
    caller.by_cookie = true;
    return caller;
}

Caller Identity::caller_of(const HttpRequest& request) {
    if (request.control) return local_operator();
    const std::string_view token = bearer(request);
    if (request.count("X-API-Key") > 0) {
        // Two credentials may be two callers.
        const auto key = request.header("X-API-Key");
        if (!key || !token.empty()) throw unauthenticated();
        return api_keys_.caller_of(*key);
    }
    if (looks_like_api_key(token)) return api_keys_.caller_of(token);
    if (!token.empty()) return caller_by_token(token);
    const auto session = session_secret_in(request);
    if (session && !session->empty()) return caller_by_session(*session);
    return {};
}

std::string Identity::make_invite(Transaction& tx, const std::string& user_id) {
    const std::string secret = to_base64url(random_bytes(32));
    tx.run(sql::ticket_add, {Blob{sha256(secret)}, std::string(invite), user_id, Value{},
                             clock().now_ms() + invite_life.count()});
    return secret;
}

void Identity::require_link(const char* kind, const std::string& secret) const {
    const bool is_good = store_.read([&](Session& session) {
        return session
            .first(sql::ticket_find, {Blob{sha256(secret)}, std::string(kind), clock().now_ms()})
            .has_value();
    });
    if (!is_good) throw used_link();
}

SignInResult Identity::accept_invite(const std::string& secret, const std::string& password,
                                     const SignInFrom& from) {
    // Nobody without a link gets the machine to hash.
    require_link(invite, secret);
    const std::string phc = passwords_.hash(password);
    const User user = store_.write([&](Transaction& tx) {
        const TimeMs now = clock().now_ms();
        const auto row =
            tx.first(sql::ticket_use, {Blob{sha256(secret)}, std::string(invite), now});
        if (!row) throw used_link();
        set_password(tx, row->text(0), phc, true, now);
        append_audit(tx, record_of_sign_in("user.password", row->text(0), from), now);
        const auto invited = find_user(tx, row->text(0));
        if (!invited || !invited->active()) throw used_link();
        return *invited;
    });
    return begin_sign_in(user, from, "");
}

std::optional<std::string> Identity::make_first_owner_link() {
    const std::string secret = to_base64url(random_bytes(32));
    const bool is_first = store_.write([&](Transaction& tx) {
        if (tx.first(sql::user_any)) return false;
        tx.run(sql::ticket_drop_kind, {std::string(first_owner)});
        tx.run(sql::ticket_add, {Blob{sha256(secret)}, std::string(first_owner), std::string(),
                                 Value{}, clock().now_ms() + invite_life.count()});
        return true;
    });
    if (!is_first) return std::nullopt;
    return secret;
}

SignInResult Identity::accept_first_owner(const std::string& secret, UserToAdd owner,
                                          const std::string& password, const SignInFrom& from) {
    require_link(first_owner, secret);
    owner.role = "owner";
    owner.password_hash = passwords_.hash(password);
    const User user = store_.write([&](Transaction& tx) {
        const TimeMs now = clock().now_ms();
        const Values ticket = {Blob{sha256(secret)}, std::string(first_owner), now};
        if (tx.first(sql::user_any) || !tx.first(sql::ticket_use, ticket)) throw used_link();
        const User added = add_user(tx, ids_, owner, now);
        append_audit(tx, record_of_sign_in("user.first_owner", added.id, from), now);
        return added;
    });
    return begin_sign_in(user, from, "");
}

void Identity::on_access_change(AccessListener listener) {
    listeners_.push_back(std::move(listener));
}

void Identity::tell(const Changes& changes) const {
    for (const AccessChange& change : access_changes_in(changes)) {
        for (const AccessListener& listener : listeners_) listener(change);
    }
}

bool sweep_sign_ins(Store& store) {
    constexpr size_t batch = 500;
    return store.write(
        [&](Transaction& tx) {
            const TimeMs now = store.clock().now_ms();
            const size_t sessions = tx.change(sql::session_sweep, {now});
            const size_t tickets = tx.change(sql::ticket_sweep, {now});
            const size_t throttles = tx.change(sql::rate_sweep, {now});
            const bool old_records = trim_audit(tx, now - keep_audit.count(), now);
            return old_records || std::max({sessions, tickets, throttles}) == batch;
        },
        Urgency::background);
}

Stage authenticate_api(Identity& identity) {
    return [&identity](const ExchangePtr& exchange, const Next& next) {
        const RouteSpec& route = exchange->route->spec;
        const bool is_public =
            std::find(route.roles.begin(), route.roles.end(), "public") != route.roles.end();
        // Nothing of a public route depends on the caller, so it costs no look-up either.
        if (is_public) return next(exchange);
        // The exchange outlives its hooks.
        exchange->before_answer([&identity, exchange = exchange.get()](Response& response) {
            if (response.status != 403) return;
            record_refusal(identity, exchange->shared_from_this(), response);
        });
        exchange->caller = identity.caller_of(exchange->request());
        if (exchange->caller.by_cookie && acts(*exchange)) {
            identity.own_pages().require(exchange->request());
            require_json_type(exchange->request(), route.body);
        }
        next(exchange);
    };
}

Stage authorise() {
    return [](const ExchangePtr& exchange, const Next& next) {
        require_role(exchange->caller, exchange->route->spec.roles);
        next(exchange);
    };
}

}  // namespace patchbay
