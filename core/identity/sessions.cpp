#include "identity/sessions.hpp"

#include <algorithm>
#include <chrono>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "identity/access.hpp"
#include "identity/statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view cookie_name = "__Host-pb";
constexpr int64_t longest_idle = std::chrono::milliseconds{12h}.count();
constexpr int64_t longest_life = std::chrono::milliseconds{std::chrono::days{7}}.count();
constexpr int64_t seen_every = std::chrono::milliseconds{5min}.count();
constexpr size_t longest_agent = 200;

std::string cookie_with(std::string_view value, int64_t max_age_s) {
    return std::string(cookie_name) + "=" + std::string(value) +
           "; Path=/; Max-Age=" + std::to_string(max_age_s) + "; Secure; HttpOnly; SameSite=Lax";
}

}  // namespace

std::string make_session_secret() { return to_base64url(random_bytes(32)); }

std::string session_id_of(const std::string& secret) { return to_base64url(sha256(secret)); }

std::string session_cookie(const std::string& secret) {
    return cookie_with(secret, longest_life / 1000);
}

std::string ended_session_cookie() { return cookie_with("", 0); }

std::optional<std::string> session_secret_in(const HttpRequest& request) {
    if (request.count("Cookie") > 1) throw unauthenticated();
    std::string_view rest = request.header("Cookie").value_or("");
    std::optional<std::string> found;
    while (!rest.empty()) {
        const size_t end = std::min(rest.find(';'), rest.size());
        const std::string_view pair = trim(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const size_t equals = pair.find('=');
        if (equals == std::string_view::npos || pair.substr(0, equals) != cookie_name) continue;
        if (found) throw unauthenticated();
        found = std::string(pair.substr(equals + 1));
    }
    return found;
}

void add_session(Transaction& tx, const BrowserSession& session, const std::string& address,
                 const std::string& user_agent) {
    tx.run(sql::session_add,
           {Blob{from_base64url(session.id).value()}, session.user_id, session.started_at,
            session.started_at, session.started_at + longest_life, address,
            user_agent.substr(0, longest_agent)});
}

std::optional<BrowserSession> find_session(Session& session, const std::string& secret,
                                           TimeMs now) {
    const auto row = session.first(sql::session_get, {Blob{sha256(secret)}});
    if (!row) return std::nullopt;
    const BrowserSession found{session_id_of(secret), row->text(0), row->number(1), row->number(2),
                               std::min(row->number(3), row->number(2) + longest_idle)};
    if (found.expires_at <= now) return std::nullopt;
    return found;
}

void note_session_seen(Store& store, const BrowserSession& session, TimeMs now) {
    if (now - session.seen_at < seen_every) return;
    store.run_async(sql::session_seen, {now, Blob{from_base64url(session.id).value()}}, {},
                    Urgency::background);
}

void end_session(Transaction& tx, const std::string& id) {
    if (const auto hash = from_base64url(id)) tx.run(sql::session_end, {Blob{*hash}});
}

void end_sessions_of(Transaction& tx, const std::string& user_id) {
    tx.run(sql::session_end_user, {user_id});
}

}  // namespace patchbay
