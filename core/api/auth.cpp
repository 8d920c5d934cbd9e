// POST /api/v1/auth/login, POST /api/v1/auth/invite, GET /api/v1/auth/me
#include "api/fields.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/shapes.hpp"

namespace patchbay {
namespace {

void answer_sign_in(const ExchangePtr& exchange, const SignInResult& in) {
    JsonObject json = make_object();
    json->set("token", in.token);
    json->set("token_type", "Bearer");
    json->set("expires_at", time_json(in.expires_at));
    json->set("user", user_json(in.user));
    answer_json(exchange, 200, json);
}

void login(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const std::string email = fields.required_text("email");
    const std::string password = fields.required_text("password");
    fields.done();
    answer_sign_in(exchange, context.identity.login(email, password, exchange->request().peer));
}

void accept_invite(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const std::string ticket = fields.required_text("ticket");
    const std::string password = fields.required_text("password");
    const std::string problem = password_problem(password);
    if (!password.empty() && !problem.empty()) fields.refuse("password", "invalid_field", problem);
    fields.done();
    answer_sign_in(exchange, context.identity.accept_invite(ticket, password));
}

void me(const ExchangePtr& exchange, ApiContext& context) {
    const Caller& caller = exchange->caller;
    if (caller.kind == "local") throw unknown_id("user; this is the local operator");
    const auto user =
        context.store.read([&](Session& session) { return find_user(session, caller.id); });
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
                .about = "Signs in with e-mail address and password.",
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
