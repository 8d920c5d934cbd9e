// /api/v1/auth/: POST login, invite, first-owner, refresh, logout; GET me
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

std::string required_password(Fields& fields) {
    const std::string password = fields.required_text("password");
    const std::string problem = password_problem(password);
    if (!password.empty() && !problem.empty()) fields.refuse("password", "invalid_field", problem);
    return password;
}

void accept_invite(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const std::string ticket = fields.required_text("ticket");
    const std::string password = required_password(fields);
    const bool session = fields.flag("session").value_or(false);
    fields.done();
    answer_sign_in(exchange,
                   context.identity.accept_invite(ticket, password, origin_of(exchange, session)));
}

void accept_first_owner(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const std::string ticket = fields.required_text("ticket");
    UserToAdd owner;
    owner.email = fields.required_text("email");
    owner.name = fields.required_text("name", 200);
    const std::string password = required_password(fields);
    const bool session = fields.flag("session").value_or(false);
    if (!owner.email.empty() && !is_email(owner.email)) {
        fields.refuse("email", "invalid_field", "must be an e-mail address");
    }
    fields.done();
    answer_sign_in(exchange, context.identity.accept_first_owner(ticket, owner, password,
                                                                 origin_of(exchange, session)));
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

/// A key is shown as what it is to the API: somebody of role api, with its user's address.
User shown_key(Session& session, const Caller& caller) {
    const auto key = find_api_key(session, caller.id);
    if (!key) throw unauthenticated();
    User user;
    user.id = key->id;
    user.number = caller.number;
    user.email = caller.email;
    user.name = key->name;
    user.role = caller.role;
    user.departments = key->departments;
    user.created_at = key->created_at;
    return user;
}

void me(const ExchangePtr& exchange, ApiContext& context) {
    const User user = context.store.read([&](Session& session) {
        if (exchange->caller.kind == "key") return shown_key(session, exchange->caller);
        const auto found = find_user(session, require_user(exchange).id);
        if (!found) throw unauthenticated();
        return *found;
    });
    answer_json(exchange, 200, user_json(user));
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
    router.add({.name = "auth.first_owner",
                .method = "POST",
                .path = "/api/v1/auth/first-owner",
                .body = BodyKind::json,
                .roles = roles::everyone,
                .about = "Makes the first owner with the link of the first start, and signs in.",
                .takes = "FirstOwner",
                .answers = {{.schema = "SignedIn"}},
                .problems = {"invalid_credentials", "email_taken"}},
               [&](const ExchangePtr& exchange) { accept_first_owner(exchange, context); });
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
