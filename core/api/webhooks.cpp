// GET, POST /api/v1/webhooks; GET, PATCH, DELETE /api/v1/webhooks/{id}
#include "delivery/webhooks.hpp"

#include "api/answers.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "http/url_reach.hpp"
#include "identity/audit.hpp"

namespace patchbay {
namespace {

constexpr size_t most_events = 20;
constexpr size_t max_url_bytes = 2048;

/// A secret that is shown once. It goes into the answer on its way out, so that what is stored of
/// the answer (Idempotency-Key) has none.
class SecretOnce {
public:
    explicit SecretOnce(const ExchangePtr& exchange) {
        exchange->before_answer([secret = secret_](Response& response) {
            const bool is_first =
                response.status < 300 && !response.headers.contains("idempotent-replayed");
            if (!is_first || secret->empty()) return;
            JsonObject json = parse_json_object(std::string_view(response.body));
            json->set("secret", *secret);
            response.body = to_json(json);
        });
    }
    void set(const std::string& secret) const { *secret_ = secret; }

private:
    const std::shared_ptr<std::string> secret_ = std::make_shared<std::string>();
};

JsonObject webhook_json(const Webhook& webhook) {
    JsonObject json = make_object();
    json->set("id", webhook.id);
    json->set("url", webhook.url);
    json->set("events", json_texts(webhook.topics));
    json->set("description", webhook.description);
    json->set("enabled", !webhook.paused_reason.has_value());
    json->set("disabled_reason", json_or_null(webhook.paused_reason));
    json->set("failing_since", time_json(webhook.failing_since));
    json->set("created_at", time_json(webhook.created_at));
    json->set("updated_at", time_json(webhook.updated_at));
    return json;
}

/// S50 and S51 for what the URL itself says; where its name leads is checked at each call.
void check_url(Fields& fields, const ApiContext& context, const std::string& url) {
    if (reach_of(url, !context.config()->production()) == UrlReach::refused) {
        fields.refuse("url", "invalid_field",
                      "must be an https URL on port 443, to a host of the open internet");
    }
}

std::vector<std::string> read_events(Fields& fields) {
    const auto events = fields.texts("events", most_events);
    if (!events) return {};
    if (events->empty()) fields.refuse("events", "invalid_field", "must not be empty");
    for (size_t i = 0; i < events->size(); ++i) {
        if (is_topic_pattern((*events)[i])) continue;
        std::string known;
        for (const std::string& topic : webhook_topics()) known += ", " + topic;
        fields.refuse("events/" + std::to_string(i), "invalid_field",
                      "must be *, message.*, conversation.*" + known);
    }
    return *events;
}

/// What the audit record says of it: no secret is part of that.
JsonObject facts_of(const Webhook& webhook) {
    JsonObject facts = make_object();
    facts->set("url", webhook.url);
    facts->set("events", json_texts(webhook.topics));
    facts->set("description", webhook.description);
    facts->set("enabled", !webhook.paused_reason.has_value());
    return facts;
}

Webhook require_webhook(Session& session, const std::string& id) {
    auto webhook = find_webhook(session, id);
    if (!webhook) throw unknown_id("webhook");
    return std::move(*webhook);
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    // One page always: there are few.
    const ListRequest list(exchange->request(), "webhooks");
    const auto all = context.store.read([](Session& session) { return list_webhooks(session); });
    JsonArray items = make_array();
    for (const Webhook& webhook : all) items->add(webhook_json(webhook));
    answer_json(exchange, 200, list_json(items, std::nullopt));
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    answer_json(exchange, 200, context.store.read([&](Session& session) {
        return webhook_json(require_webhook(session, exchange->params.at("id")));
    }));
}

void create(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    NewWebhook wanted;
    wanted.url = fields.required_text("url", max_url_bytes);
    if (!wanted.url.empty()) check_url(fields, context, wanted.url);
    wanted.topics = read_events(fields);
    if (!fields.has("events")) fields.refuse("events", "missing_field", "is required");
    wanted.description = fields.text("description", 200).value_or("");
    wanted.created_by = exchange->caller.id;
    fields.done();
    const SecretOnce shown(exchange);
    answer_once(
        exchange, context,
        [&context, wanted, shown,
         record = audit_of(exchange, "webhook.create", "webhook")](Transaction& tx) mutable {
            const TimeMs now = context.now();
            const auto id = add_webhook(tx, context.ids(), wanted, now);
            if (!id) {
                throw Problem("invalid_field", "There are " + std::to_string(most_webhooks) +
                                                   " webhooks, which is as many as there may be.");
            }
            const std::string secret = make_webhook_secret();
            set_webhook_secret(tx, context.sealer, *id, secret, now);
            shown.set(secret);
            const Webhook webhook = require_webhook(tx, *id);
            record.object = *id;
            record.after = facts_of(webhook);
            append_audit(tx, record, now);
            Response response = json_response(201, webhook_json(webhook));
            response.headers["location"] = "/api/v1/webhooks/" + *id;
            return response;
        },
        context.webhooks_changed);
}

struct WebhookChange {
    std::optional<std::string> url, description;
    std::vector<std::string> topics;  ///< Empty: as they are.
    std::optional<bool> enabled;
    bool rotates = false;
};

WebhookChange read_change(const HttpRequest& request, const ApiContext& context) {
    Fields fields(request);
    WebhookChange change;
    change.url = fields.text("url", max_url_bytes);
    if (change.url) check_url(fields, context, *change.url);
    change.topics = read_events(fields);
    change.description = fields.text("description", 200);
    change.enabled = fields.flag("enabled");
    change.rotates = fields.flag("rotate_secret").value_or(false);
    fields.done();
    return change;
}

void apply(const WebhookChange& change, Webhook& webhook) {
    if (change.url) webhook.url = *change.url;
    if (change.description) webhook.description = *change.description;
    if (!change.topics.empty()) webhook.topics = change.topics;
    if (change.enabled == true) {
        webhook.paused_reason.reset();
        webhook.failing_since.reset();
    } else if (change.enabled == false && !webhook.paused_reason) {
        webhook.paused_reason = "by hand";
    }
}

void patch(const ExchangePtr& exchange, ApiContext& context) {
    const WebhookChange change = read_change(exchange->request(), context);
    const SecretOnce shown(exchange);
    answer_once(
        exchange, context,
        [&context, change, shown, id = exchange->params.at("id"),
         record = audit_of(exchange, "webhook.change", "webhook")](Transaction& tx) mutable {
            const TimeMs now = context.now();
            Webhook webhook = require_webhook(tx, id);
            record.object = id;
            record.before = facts_of(webhook);
            apply(change, webhook);
            change_webhook(tx, webhook, now);
            if (change.rotates) {
                const std::string secret = make_webhook_secret();
                set_webhook_secret(tx, context.sealer, id, secret, now);
                shown.set(secret);
            }
            record.after = facts_of(webhook);
            record.after->set("new_secret", change.rotates);
            append_audit(tx, record, now);
            return json_response(200, webhook_json(require_webhook(tx, id)));
        },
        context.webhooks_changed);
}

void drop(const ExchangePtr& exchange, ApiContext& context) {
    answer_once(
        exchange, context,
        [&context, id = exchange->params.at("id"),
         record = audit_of(exchange, "webhook.delete", "webhook")](Transaction& tx) mutable {
            record.object = id;
            record.before = facts_of(require_webhook(tx, id));
            drop_webhook(tx, id);
            append_audit(tx, record, context.now());
            return Response{.status = 204};
        },
        context.webhooks_changed);
}

}  // namespace

void add_webhook_routes(Router& router, ApiContext& context) {
    router.add({.name = "webhooks.list",
                .method = "GET",
                .path = "/api/v1/webhooks",
                .roles = roles::admins,
                .about = "Who is told of what, and who is not any more.",
                .query = list_query(),
                .answers = page_of("OutgoingWebhook")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "webhooks.create",
                .method = "POST",
                .path = "/api/v1/webhooks",
                .body = BodyKind::json,
                .roles = roles::admins,
                .about = "Tells a URL of events; the secret to check the signature is shown once.",
                .takes = "NewOutgoingWebhook",
                .answers = {{201, "OutgoingWebhook"}}},
               [&](const ExchangePtr& exchange) { create(exchange, context); });
    router.add({.name = "webhooks.get",
                .method = "GET",
                .path = "/api/v1/webhooks/{id}",
                .roles = roles::admins,
                .about = "One webhook.",
                .answers = {{.schema = "OutgoingWebhook"}}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
    router.add({.name = "webhooks.change",
                .method = "PATCH",
                .path = "/api/v1/webhooks/{id}",
                .body = BodyKind::json,
                .roles = roles::admins,
                .about = "Changes it, enables it again, or gives it a new secret; the old one goes "
                         "on signing for 24 hours.",
                .takes = "OutgoingWebhookChanges",
                .answers = {{.schema = "OutgoingWebhook"}}},
               [&](const ExchangePtr& exchange) { patch(exchange, context); });
    router.add({.name = "webhooks.delete",
                .method = "DELETE",
                .path = "/api/v1/webhooks/{id}",
                .roles = roles::admins,
                .about = "Tells it nothing any more, what is queued included.",
                .answers = {{.status = 204}}},
               [&](const ExchangePtr& exchange) { drop(exchange, context); });
}

}  // namespace patchbay
