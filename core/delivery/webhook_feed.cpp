#include "delivery/webhook_feed.hpp"

#include "base/json.hpp"
#include "delivery/jobs.hpp"
#include "delivery/webhook_statements.hpp"
#include "messaging/changes.hpp"

namespace patchbay {
namespace {

void add_status(Session& session, WebhookEvent& event) {
    const auto row = session.first(sql::webhook_message_status, {event.object});
    if (!row) return;
    event.status = row->text(0);
    event.code = row->text_or(1, "");
    event.reason = row->text_or(2, "");
}

}  // namespace

std::string WebhookEvent::payload() const {
    JsonObject json = make_object();
    json->set("webhook", webhook_id);
    json->set("type", type);
    json->set("object", object);
    json->set("at", at);
    if (!status.empty()) json->set("status", status);
    if (!code.empty()) json->set("code", code);
    if (!reason.empty()) json->set("reason", reason);
    return to_json(json);
}

WebhookEvent WebhookEvent::from_payload(const std::string& payload) {
    const JsonObject json = parse_json_object(std::string_view(payload));
    const auto text = [&](const char* name) { return text_at(json, name).value_or(""); };
    return {text("webhook"), text("type"), text("object"), int_at(json, "at").value_or(0),
            text("status"),  text("code"), text("reason")};
}

WebhookFeed::WebhookFeed(Store& store, Ids& ids, std::function<void(const std::string&)> wake)
    : store_(store), ids_(ids), wake_(std::move(wake)) {
    reload();
    store_.on_noted([this](Transaction& tx, const Changes& changes) { follow(tx, changes); });
}

WebhookFeed::~WebhookFeed() { store_.on_noted({}); }

void WebhookFeed::also_follow(Follower other) {
    const std::lock_guard lock(mutex_);
    other_ = std::make_shared<const Follower>(std::move(other));
}

void WebhookFeed::reload() {
    auto webhooks = store_.read([](Session& session) { return list_webhooks(session); });
    std::erase_if(webhooks, [](const Webhook& one) { return one.paused_reason.has_value(); });
    const std::lock_guard lock(mutex_);
    webhooks_ = std::make_shared<const std::vector<Webhook>>(std::move(webhooks));
}

void WebhookFeed::follow(Transaction& tx, const Changes& changes) {
    Webhooks webhooks;
    std::shared_ptr<const Follower> other;
    {
        const std::lock_guard lock(mutex_);
        webhooks = webhooks_;
        other = other_;
    }
    if (other && *other) (*other)(tx, changes);
    if (webhooks->empty()) return;
    const TimeMs now = store_.clock().now_ms();
    for (size_t i = 0; i < changes.size(); ++i) {
        const Change& change = changes[i];
        // Noted twice in one transaction is one thing to the world.
        if (std::find(changes.begin(), changes.begin() + i, change) != changes.begin() + i)
            continue;
        if (!is_webhook_topic(change.what)) continue;
        WebhookEvent event{{}, change.what, change.id, now, {}, {}, {}};
        bool is_complete = false;
        for (const Webhook& webhook : *webhooks) {
            if (!webhook.wants(change.what)) continue;
            if (!std::exchange(is_complete, true) &&
                event.type == patchbay::changes::message_status) {
                add_status(tx, event);
            }
            tell(tx, webhook, event);
        }
    }
}

void WebhookFeed::tell(Transaction& tx, const Webhook& webhook, const WebhookEvent& event) {
    WebhookEvent own = event;
    own.webhook_id = webhook.id;
    const TimeMs now = event.at;
    enqueue_job(tx, ids_,
                {.queue = webhook.queue(),
                 .ukey = "webhook:" + ids_.uuid(),
                 .kind = "webhook",
                 .payload = own.payload()},
                std::nullopt, now);
    wake_(webhook.queue());
}

}  // namespace patchbay
