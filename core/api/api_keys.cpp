// GET, POST /api/v1/api-keys; DELETE /api/v1/api-keys/{id}
#include "api/answers.hpp"
#include "api/departments.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "base/time_text.hpp"
#include "identity/audit.hpp"
#include "identity/statements.hpp"

namespace patchbay {
namespace {

JsonObject key_json(const ApiKey& key) {
    JsonObject json = make_object();
    json->set("id", key.id);
    json->set("name", key.name);
    json->set("prefix", key.prefix);
    json->set("scopes", json_texts(key.scopes));
    json->set("departments", json_texts(key.departments));
    json->set("user_id", key.user_id);
    json->set("expires_at", time_json(key.expires_at));
    json->set("last_used_at", time_json(key.last_used_at));
    json->set("created_at", time_json(key.created_at));
    return json;
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "api_keys");
    const auto keys = context.store.read([&](Session& session) {
        return list_api_keys(session, list.start().text, static_cast<int64_t>(list.limit()) + 1);
    });
    JsonArray items = make_array();
    std::optional<std::string> next;
    for (const ApiKey& key : keys) {
        if (items->size() == list.limit()) {
            next = list.cursor_text({0, keys[items->size() - 1].id});
            break;
        }
        items->add(key_json(key));
    }
    answer_json(exchange, 200, list_json(items, next));
}

void check_scopes(Fields& fields, const std::vector<std::string>& scopes) {
    const auto& known = api_scopes();
    for (size_t i = 0; i < scopes.size(); ++i) {
        if (std::find(known.begin(), known.end(), scopes[i]) != known.end()) continue;
        fields.refuse("scopes/" + std::to_string(i), "invalid_field", "is no scope");
    }
}

/// Whose the key is: the caller's, or the oldest owner's when the local operator makes it.
std::string owner_of_key(Session& session, const Caller& caller) {
    if (caller.kind == "user") return caller.id;
    const auto row = session.first(sql::user_first_owner);
    if (!row) throw Problem("forbidden", "A key belongs to an owner or admin: add an owner first.");
    return row->text(0);
}

ApiKey read_key(const ExchangePtr& exchange, const ApiContext& context) {
    Fields fields(exchange->request());
    ApiKey key;
    key.name = fields.required_text("name", 200);
    const auto scopes = fields.texts("scopes");
    if (!scopes) fields.refuse("scopes", "missing_field", "is required");
    const auto departments = fields.texts("departments").value_or(std::vector<std::string>{});
    const auto expires_at = fields.text("expires_at");
    key.scopes = scopes.value_or(std::vector<std::string>{});
    check_scopes(fields, key.scopes);
    if (expires_at) {
        key.expires_at = parse_rfc3339(*expires_at);
        if (!key.expires_at) {
            fields.refuse("expires_at", "invalid_field",
                          "must be a time such as 2026-11-20T10:15:30Z");
        } else if (*key.expires_at <= context.now()) {
            fields.refuse("expires_at", "invalid_field", "must be in the future");
        }
    }
    fields.done();
    key.departments = named_departments(context, departments);
    return key;
}

void create(const ExchangePtr& exchange, ApiContext& context) {
    const ApiKey wanted = read_key(exchange, context);
    const auto secret = std::make_shared<std::string>();
    // A repeat with the same Idempotency-Key gets the stored answer, which has no key: that is
    // shown once and kept nowhere.
    exchange->before_answer([secret](Response& response) {
        if (response.status != 201 || response.headers.contains("idempotent-replayed")) return;
        JsonObject json = parse_json_object(std::string_view(response.body));
        json->set("key", *secret);
        response.body = to_json(JsonValue(json));
    });
    answer_once(exchange, context,
                [&context, wanted, secret, caller = exchange->caller,
                 record = audit_of(exchange, "api_key.create", "api_key")](Transaction& tx) {
                    ApiKey key = wanted;
                    key.user_id = owner_of_key(tx, caller);
                    const ApiKeys::Made made =
                        context.identity.api_keys().add(tx, key, context.now());
                    *secret = made.secret;
                    AuditRecord done = record;
                    done.object = made.key.id;
                    done.after = key_json(made.key);
                    append_audit(tx, done, context.now());
                    Response response = json_response(201, key_json(made.key));
                    response.headers["location"] = "/api/v1/api-keys/" + made.key.id;
                    return response;
                });
}

void revoke(const ExchangePtr& exchange, ApiContext& context) {
    const std::string id = exchange->params.at("id");
    context.store.write([&](Transaction& tx) {
        const auto key = find_api_key(tx, id);
        if (!key) throw unknown_id("API key");
        const auto user = find_user(tx, key->user_id);
        if (user && user->role == "owner" && exchange->caller.role != "owner") {
            throw Problem("forbidden", "Only an owner may withdraw an owner's key.");
        }
        context.identity.api_keys().revoke(tx, id, context.now());
        AuditRecord record = audit_of(exchange, "api_key.revoke", "api_key", id);
        record.before = key_json(*key);
        append_audit(tx, record, context.now());
    });
    exchange->answer({.status = 204});
}

}  // namespace

void add_api_key_routes(Router& router, ApiContext& context) {
    router.add({.name = "api_keys.list",
                .method = "GET",
                .path = "/api/v1/api-keys",
                .roles = roles::admins,
                .about = "Keys of programs, without the keys themselves.",
                .query = list_query(),
                .answers = page_of("ApiKey")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "api_keys.create",
                .method = "POST",
                .path = "/api/v1/api-keys",
                .body = BodyKind::json,
                .roles = roles::admins,
                .about = "Makes a key; this answer alone shows it.",
                .takes = "NewApiKey",
                .answers = {{201, "MadeApiKey"}},
                .problems = {"unknown_department"}},
               [&](const ExchangePtr& exchange) { create(exchange, context); });
    router.add({.name = "api_keys.revoke",
                .method = "DELETE",
                .path = "/api/v1/api-keys/{id}",
                .roles = roles::admins,
                .about = "Ends a key at once.",
                .answers = {{204}}},
               [&](const ExchangePtr& exchange) { revoke(exchange, context); });
}

}  // namespace patchbay
