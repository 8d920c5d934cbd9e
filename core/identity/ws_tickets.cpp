#include "identity/ws_tickets.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "identity/access.hpp"
#include "identity/statements.hpp"
#include "identity/users.hpp"

namespace patchbay {
namespace {

constexpr std::chrono::milliseconds life = std::chrono::seconds{30};
constexpr const char* prefix = "wst_";
const std::string kind = "ws";

// A sign-in is withdrawn by its token version or by its own id.
bool holds(Session& session, const User& user, const JsonObject& sign_in) {
    const std::string credential = text_at(sign_in, "credential").value_or("");
    return user.active() && user.token_version == int_at(sign_in, "token_version") &&
           !session.first(sql::ticket_withdrawn, {Blob{sha256(credential)}});
}

}  // namespace

WsTicket make_ws_ticket(Store& store, const Caller& caller) {
    const WsTicket ticket{prefix + to_base64url(random_bytes(32)),
                          store.clock().now_ms() + life.count()};
    store.write([&](Transaction& tx) {
        const auto user = find_user(tx, caller.id);
        if (!user) throw unauthenticated();
        JsonObject sign_in = make_object();
        sign_in->set("credential", caller.credential);
        sign_in->set("token_version", user->token_version);
        sign_in->set("signed_in_at", caller.signed_in_at);
        sign_in->set("expires_at", caller.expires_at);
        tx.run(sql::ticket_add,
               {Blob{sha256(ticket.secret)}, kind, caller.id, to_json(sign_in), ticket.expires_at});
    });
    return ticket;
}

Caller use_ws_ticket(Store& store, const std::string& secret) {
    const auto caller = store.write([&](Transaction& tx) -> std::optional<Caller> {
        const auto row =
            tx.first(sql::ticket_use, {Blob{sha256(secret)}, kind, store.clock().now_ms()});
        if (!row) return std::nullopt;
        const JsonObject sign_in = parse_json_object(std::string_view(row->text(1)));
        const auto user = find_user(tx, row->text(0));
        if (!user || !holds(tx, *user, sign_in)) return std::nullopt;
        Caller found = caller_from(*user);
        found.credential = text_at(sign_in, "credential").value_or("");
        found.signed_in_at = int_at(sign_in, "signed_in_at").value_or(0);
        found.expires_at = int_at(sign_in, "expires_at").value_or(0);
        return found;
    });
    if (!caller) throw unauthenticated();
    return *caller;
}

}  // namespace patchbay
