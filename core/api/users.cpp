// GET, POST /api/v1/users; GET, PATCH /api/v1/users/{id}; POST /api/v1/users/{id}/token
#include "api/departments.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/shapes.hpp"
#include "base/time_text.hpp"
#include "identity/audit.hpp"
#include "identity/departments.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

void check_role(Fields& fields, const Caller& caller, const std::string& role) {
    if (std::find(std::begin(user_roles), std::end(user_roles), role) == std::end(user_roles)) {
        fields.refuse("role", "invalid_field",
                      "must be owner, admin, expert, agent, viewer or api");
    } else if (role == "owner" && caller.role != "owner") {
        throw Problem("forbidden", "Only an owner may make owners.");
    }
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "users");
    const std::string after = list.start().text == "g" ? "" : list.start().text;
    const auto users = context.store.read([&](Session& session) {
        return list_users(session, after, static_cast<int64_t>(list.limit()) + 1);
    });
    JsonArray items = make_array();
    std::optional<std::string> next;
    for (const User& user : users) {
        if (items->size() == list.limit()) {
            next = list.cursor_text({0, users[items->size() - 1].id});
            break;
        }
        items->add(user_json(user));
    }
    answer_json(exchange, 200, list_json(items, next));
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    const auto user = context.store.read(
        [&](Session& session) { return find_user(session, exchange->params.at("id")); });
    if (!user) throw unknown_id("user");
    answer_json(exchange, 200, user_json(*user));
}

void create(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    UserToAdd user;
    user.email = fields.required_text("email");
    user.name = fields.required_text("name", 200);
    user.role = fields.required_text("role");
    const auto departments = fields.texts("departments").value_or(std::vector<std::string>{});
    const auto password = fields.text("password");
    if (!user.email.empty() && !is_email(user.email)) {
        fields.refuse("email", "invalid_field", "must be an e-mail address");
    }
    if (password && !password_problem(*password).empty()) {
        fields.refuse("password", "invalid_field", password_problem(*password));
    }
    if (!user.role.empty()) check_role(fields, exchange->caller, user.role);
    fields.done();
    user.departments = named_departments(context, departments);
    // Hashed before the transaction: it takes a quarter of a second.
    if (password) user.password_hash = context.identity.passwords().hash(*password);
    answer_once(
        exchange, context,
        [&context, user, record = audit_of(exchange, "user.create", "user")](Transaction& tx) {
            const User added = add_user(tx, context.ids(), user, context.now());
            AuditRecord done = record;
            done.object = added.id;
            done.after = user_json(added);
            append_audit(tx, done, context.now());
            JsonObject json = user_json(added);
            if (user.password_hash.empty()) {
                json->set("invite_url", context.config()->server.public_url + "/invite#" +
                                            context.identity.make_invite(tx, added.id));
            }
            Response response = json_response(201, json);
            response.headers["location"] = "/api/v1/users/" + added.id;
            return response;
        });
}

void change(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    UserChange wanted;
    wanted.name = fields.text("name", 200);
    wanted.role = fields.text("role");
    wanted.active = fields.flag("active");
    const auto password = fields.text("password");
    if (password && !password_problem(*password).empty()) {
        fields.refuse("password", "invalid_field", password_problem(*password));
    }
    const auto departments = fields.texts("departments");
    if (wanted.role) check_role(fields, exchange->caller, *wanted.role);
    fields.done();
    if (departments) wanted.departments = named_departments(context, *departments);
    const std::string id = exchange->params.at("id");
    const bool by_owner = exchange->caller.role == "owner";
    const std::string phc = password ? context.identity.passwords().hash(*password) : "";
    const User changed = context.store.write([&](Transaction& tx) {
        const auto user = find_user(tx, id);
        if (!user) throw unknown_id("user");
        if (user->role == "owner" && !by_owner) {
            throw Problem("forbidden", "Only an owner may change owners.");
        }
        const User now_is = change_user(tx, user->id, wanted, context.now());
        if (!phc.empty()) set_password(tx, user->id, phc, true, context.now());
        AuditRecord record = audit_of(exchange, "user.change", "user", user->id);
        record.before = user_json(*user);
        record.after = user_json(now_is);
        if (!phc.empty()) record.after->set("credentials", "changed");
        append_audit(tx, record, context.now());
        return now_is;
    });
    answer_json(exchange, 200, user_json(changed));
}

void remove(const ExchangePtr& exchange, ApiContext& context) {
    const std::string id = exchange->params.at("id");
    const bool by_owner = exchange->caller.role == "owner" || exchange->caller.kind == "local";
    context.store.write([&](Transaction& tx) {
        const auto user = find_user(tx, id);
        if (!user) throw unknown_id("user");
        if (user->role == "owner" && !by_owner) {
            throw Problem("forbidden", "Only an owner may delete owners.");
        }
        delete_user(tx, user->id);
        AuditRecord record = audit_of(exchange, "user.delete", "user", user->id);
        record.before = user_json(*user);
        append_audit(tx, record, context.now());
    });
    Response response;
    response.status = 204;
    exchange->answer(response);
}

void make_token(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const auto text = fields.text("ttl");
    const auto ttl = text ? parse_duration(*text) : std::chrono::milliseconds{0};
    if (!ttl || (text && (*ttl < 1min || *ttl > 24h))) {
        fields.refuse("ttl", "invalid_field", "must be a duration from 1m to 24h");
    }
    fields.done();
    const SignInResult in = context.identity.token_for(exchange->params.at("id"), *ttl);
    context.store.write([&](Transaction& tx) {
        append_audit(tx, audit_of(exchange, "user.token", "user", in.user.id), context.now());
    });
    JsonObject json = make_object();
    json->set("token", in.token);
    json->set("expires_at", time_json(in.expires_at));
    json->set("user", user_json(in.user));
    answer_json(exchange, 201, json);
}

}  // namespace

std::vector<std::string> named_departments(const ApiContext& context,
                                           const std::vector<std::string>& given) {
    const ConfigPtr config = context.config();
    std::vector<std::string> names;
    for (const auto& text : given) {
        const auto name = find_department(config->departments, text);
        if (!name) {
            throw Problem("unknown_department", "There is no department \"" + text + "\".",
                          {{"/departments", "unknown_department", "names none"}})
                .with("known", to_json(json_texts(config->departments)));
        }
        names.push_back(*name);
    }
    return names;
}

void add_user_routes(Router& router, ApiContext& context) {
    router.add({.name = "users.list",
                .method = "GET",
                .path = "/api/v1/users",
                .roles = roles::admins,
                .about = "The people who sign in.",
                .query = list_query(),
                .answers = page_of("User")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "users.create",
                .method = "POST",
                .path = "/api/v1/users",
                .body = BodyKind::json,
                .roles = roles::admins,
                .about = "Adds a user; without a password the answer has a one-time link.",
                .takes = "NewUser",
                .answers = {{201, "AddedUser"}},
                .problems = {"email_taken", "unknown_department"}},
               [&](const ExchangePtr& exchange) { create(exchange, context); });
    router.add({.name = "users.get",
                .method = "GET",
                .path = "/api/v1/users/{id}",
                .roles = roles::admins,
                .about = "One user.",
                .answers = {{.schema = "User"}}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
    router.add({.name = "users.change",
                .method = "PATCH",
                .path = "/api/v1/users/{id}",
                .body = BodyKind::json,
                .roles = roles::admins,
                .about = "Changes name, role, departments, activity or password.",
                .takes = "UserChanges",
                .answers = {{.schema = "User"}},
                .problems = {"last_owner", "unknown_department"}},
               [&](const ExchangePtr& exchange) { change(exchange, context); });
    router.add({.name = "users.delete",
                .method = "DELETE",
                .path = "/api/v1/users/{id}",
                .roles = roles::admins,
                .about = "Deletes a user nothing refers to; deactivate the others.",
                .answers = {{204}},
                .problems = {"last_owner", "referenced"}},
               [&](const ExchangePtr& exchange) { remove(exchange, context); });
    router.add({.name = "users.token",
                .method = "POST",
                .path = "/api/v1/users/{id}/token",
                .body = BodyKind::json,
                .roles = roles::on_this_machine,
                .about = "A bearer token for a user; only for the command line on this machine.",
                .takes = "TokenWish",
                .answers = {{201, "UserToken"}}},
               [&](const ExchangePtr& exchange) { make_token(exchange, context); });
}

}  // namespace patchbay
