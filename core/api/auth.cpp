// /api/v1/auth/: POST login, invite, refresh, logout; GET me
#include "api/fields.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/shapes.hpp"
#include "identity/sessions.hpp"

namespace patchbay {
namespace {

void answer_sign_in(const ExchangePtr& exchange, const SignInResult& in) {
    JsonObject json = make_object();
    json->set("token", in.token);
    json->set("token_type", "Bearer");
    json->set("expires_at", time_json(in.expires_at));
    json->set("user", user_json(in.user));
    Response response = json_response(200, json);
    if (!in.session.empty()) response.headers["set-cookie"] = session_cookie(in.session);
    exchange->answer(std::move(response));
}

SignInFrom origin_of(const ExchangePtr& exchange, bool wants_session) {
    const HttpRequest& request = exchange->request();
    return {.address = request.peer,
            .request_id = exchange->id(),
            .user_agent = std::string(request.header("User-Agent").value_or("")),
            .wants_session = wants_session};
}

void login(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const std::string email = fields.required_text("email");
    const std::string password = fields.required_text("password");
    const bool session = fields.flag("session").value_or(false);
    fields.done();
    answer_sign_in(exchange, context.identity.login(email, password, origin_of(exchange, session)));
}

void accept_invite(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const std::string ticket = fields.required_text("ticket");
    const std::string password = fields.required_text("password");
    const bool session = fields.flag("session").value_or(false);
    const std::string problem = password_problem(password);
    if (!password.empty() && !problem.empty()) fields.refuse("password", "invalid_field", problem);
    fields.done();
    answer_sign_in(exchange,
                   context.identity.accept_invite(ticket, password, origin_of(exchange, session)));
}

/// The local operator has not signed in, so has nothing to renew or to end.
const Caller& require_user(const ExchangePtr& exchange) {
    if (exchange->caller.kind == "user") return exchange->caller;
    throw unknown_id("user; this is the local operator");
}

void refresh(const ExchangePtr& exchange, ApiContext& context) {
    answer_sign_in(exchange, context.identity.refresh(require_user(exchange)));
}

void log_out(const ExchangePtr& exchange, ApiContext& context) {
    context.identity.log_out(require_user(exchange));
    Response response{.status = 204};
    if (exchange->caller.by_cookie) response.headers["set-cookie"] = ended_session_cookie();
    exchange->answer(std::move(response));
}

void me(const ExchangePtr& exchange, ApiContext& context) {
    const std::string id = require_user(exchange).id;
    const auto user = context.store.read([&](Session& session) { return find_user(session, id); });
    if (!user) throw unauthenticated();
    answer_json(exchange, 200, user_json(*user));
}

}  // namespace

void add_auth_routes(Router& router, ApiContext& context) {
    router.add({.name = "auth.login",
                .method = "POST",
                .path = "/api/v1/auth/login",
                .body = BodyKind::json,
                .roles = roles::everyone,
                .about = "Signs in with e-mail address and password; with session also by cookie.",
                .takes = "Login",
                .answers = {{.schema = "SignedIn"}},
                .problems = {"invalid_credentials", "rate_limited"}},
               [&](const ExchangePtr& exchange) { login(exchange, context); });
    router.add({.name = "auth.invite",
                .method = "POST",
                .path = "/api/v1/auth/invite",
                .body = BodyKind::json,
                .roles = roles::everyone,
                .about = "Sets the first password with a one-time ticket and signs in.",
                .takes = "InviteAnswer",
                .answers = {{.schema = "SignedIn"}},
                .problems = {"invalid_credentials", "rate_limited"}},
               [&](const ExchangePtr& exchange) { accept_invite(exchange, context); });
    router.add({.name = "auth.refresh",
                .method = "POST",
                .path = "/api/v1/auth/refresh",
                .roles = roles::people,
                .about = "A new token for a valid one, until 7 days after the sign-in.",
                .answers = {{.schema = "SignedIn"}},
                .problems = {"unknown_id"}},
               [&](const ExchangePtr& exchange) { refresh(exchange, context); });
    router.add({.name = "auth.logout",
                .method = "POST",
                .path = "/api/v1/auth/logout",
                .roles = roles::people,
                .about = "Ends this sign-in: its tokens, its session, its sockets.",
                .answers = {{204}},
                .problems = {"unknown_id"}},
               [&](const ExchangePtr& exchange) { log_out(exchange, context); });
    router.add({.name = "auth.me",
                .method = "GET",
                .path = "/api/v1/auth/me",
                .roles = roles::signed_in,
                .about = "Who is signed in.",
                .answers = {{.schema = "User"}},
                .problems = {"unknown_id"}},
               [&](const ExchangePtr& exchange) { me(exchange, context); });
}

}  // namespace patchbay
