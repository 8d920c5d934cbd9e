#include "api/live_events.hpp"

#include "api/change_data.hpp"
#include "api/deliveries.hpp"
#include "api/instances.hpp"
#include "api/shapes.hpp"
#include "messaging/changes.hpp"

namespace patchbay {
namespace {

/// Reads one batch. A conversation is read once for all that happened in it.
class Teller {
public:
    Teller(Session& session, TimeMs now) : session_(session), now_(now) {}

    std::optional<LiveEvent> tell(const Change& change) {
        const std::string_view what = change.what;
        if (what == changes::message_created || what == changes::message_status)
            return message(change);
        if (what == changes::conversation_created || what == changes::conversation_updated ||
            what == changes::conversation_closed || what == changes::conversation_read)
            return conversation(change);
        if (what == changes::delivery_changed) return delivery(change);
        return std::nullopt;
    }

private:
    const std::optional<ConversationView>& find(const std::string& id) {
        const auto [found, fresh] = conversations_.try_emplace(id);
        if (fresh) found->second = find_conversation(session_, id);
        return found->second;
    }

    std::optional<LiveEvent> in_conversation(const std::string& id, Topic topic, const char* what,
                                             const JsonObject& data) {
        const auto& view = find(id);
        if (!view) return std::nullopt;
        Audience audience{
            .department = view->department, .assignee = view->assignee, .kind = view->kind};
        return make_event(topic, what, now_, to_json(data), std::move(audience), view->number);
    }

    std::optional<LiveEvent> message(const Change& change) {
        const auto view = find_message(session_, change.id);
        if (!view) return std::nullopt;
        return in_conversation(view->conversation_id, Topic::conversations, change.what,
                               change_json(*view, change.what));
    }

    std::optional<LiveEvent> conversation(const Change& change) {
        const auto& view = find(change.id);
        if (!view) return std::nullopt;
        return in_conversation(view->id, Topic::conversations, change.what,
                               change_json(session_, *view, change.what));
    }

    std::optional<LiveEvent> delivery(const Change& change) {
        const auto found = find_delivery(session_, change.id);
        if (!found) return std::nullopt;
        JsonObject data = make_object();
        data->set("delivery", found->json);
        return in_conversation(found->conversation_id, Topic::deliveries, change.what, data);
    }

    Session& session_;
    const TimeMs now_;
    std::map<std::string, std::optional<ConversationView>> conversations_;
};

}  // namespace

std::vector<LiveEvent> live_events(Session& session, const Changes& changes, TimeMs now) {
    Teller teller(session, now);
    std::vector<LiveEvent> events;
    for (const Change& change : changes)
        if (auto event = teller.tell(change)) events.push_back(std::move(*event));
    return events;
}

LiveEvent plugin_changed(const ApiContext& context, const std::string& instance) {
    JsonObject data = make_object();
    data->set("plugin", require_instance(context, instance));
    return make_event(Topic::plugins, "plugin.changed", context.now(), to_json(data), {});
}

LiveEvent config_reloaded(const ApiContext& context, const ReloadReport& report) {
    JsonObject data = make_object();
    data->set("revision", report.revision);
    data->set("plan", plan_json(report.plan));
    return make_event(Topic::plugins, "config.reloaded", context.now(), to_json(data), {});
}

Caller caller_by_token(Identity& identity, const std::string& token) {
    HttpRequest request;
    request.headers.push_back({"Authorization", "Bearer " + token});
    return identity.caller_of(request);
}

}  // namespace patchbay
