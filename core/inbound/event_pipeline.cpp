#include "inbound/event_pipeline.hpp"

#include "base/failpoint.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "delivery/jobs.hpp"
#include "delivery/status.hpp"
#include "inbound/statements.hpp"
#include "messaging/consent.hpp"
#include "messaging/contacts.hpp"
#include "messaging/conversations.hpp"
#include "messaging/messages.hpp"
#include "messaging/status.hpp"

namespace patchbay {
namespace {

const Family<Counter> events_total{
    "patchbay_events_total", "New events of plugins.", {"instance", "type"}, 1'000};
const Family<Counter> duplicates_total{
    "patchbay_duplicates_total", "Events that were known already.", {"instance"}};

const Failpoint before_route_commit{"inbound.before_route_commit"};

// A plugin makes its topics; only those that look like a word of ours become a label.
std::string_view as_label(const std::string& topic) {
    const bool is_word = topic.size() <= 40 && topic.find_first_not_of(
                                                   "abcdefghijklmnopqrstuvwxyz"
                                                   "._") == std::string::npos;
    return is_word ? std::string_view{topic} : "other";
}

void check(const Event& event) {
    if (event.topic.empty() || event.dedupe_key.empty()) {
        throw Error(ErrorKind::internal, "the plugin's event has no topic or no dedupe key");
    }
}

// A word of consent changes the consent and is answered by the provider, never by a flow (S74). YES
// means START only to who has opted out: everybody else says it to the shop.
struct ConsentEffect {
    std::string new_state;
    bool answered_by_provider = false;
};
ConsentEffect consent_effect(const Event& event, bool opted_out) {
    switch (consent_word(event.text)) {
        case ConsentWord::stop:
            return {"out", true};
        case ConsentWord::start:
            return opted_out ? ConsentEffect{"in", true} : ConsentEffect{};
        case ConsentWord::help:
            return {"", true};
        case ConsentWord::none:
            return {};
    }
    return {};
}

std::string attributes_json(const Event& event) {
    // What has no column of its own (a location, a referral) comes as the plugin's JSON.
    JsonObject object = event.data.empty() ? make_object() : parse_json_object(event.data);
    for (const auto& [name, value] : event.extra) object->set(name, value);
    return to_json(object);
}

// The same event once more, as one that is known from this replay only. The provider's id of its
// message is taken by the first.
Event marked(const Event& event, const std::string& mark) {
    Event again = event;
    again.dedupe_key += "#" + mark;
    if (again.topic == "message.received") {
        again.provider_id.clear();
        again.extra[forced_replay_attribute] = mark;
    }
    return again;
}

NewMessage inbound_message(const InstanceConfig& instance, const Event& event,
                           const std::string& conversation, const std::string& contact) {
    return {
        .conversation_id = conversation,
        .channel = instance.name,
        .direction = "in",
        .sender_type = "guest",
        .sender_id = contact,
        .sender_name = event.contact_name,
        .peer = event.from.value,
        .own = event.to.value,
        .kind = event.kind.empty() ? "text" : event.kind,
        .body = event.text,
        .attributes = attributes_json(event),
        .provider_id = event.provider_id.empty() ? std::nullopt : std::optional{event.provider_id},
        .status = "received",
        .media = event.media,
        .event_at = event.at_ms};
}

}  // namespace

struct EventPipeline::Context {
    Transaction& tx;
    const InstanceConfig& instance;
    Routed& routed;
    TimeMs now;
    const bool forced;
    const std::string& trace;
};

Routed EventPipeline::commit(Transaction& tx, const InstanceConfig& instance, int64_t ingress_id,
                             const std::vector<Event>& events, TimeMs now, const std::string& trace,
                             const std::optional<Forced>& forced) {
    Routed routed;
    Context context{tx, instance, routed, now, forced.has_value(), trace};
    for (const Event& given : events) {
        if (given.topic == topic_ignored) {
            routed.reason = given.code;
            continue;
        }
        check(given);
        std::optional<Event> again;
        if (forced) again = marked(given, forced->mark);
        const Event& event = again ? *again : given;
        if (tx.first(sql::event_known, {instance.name, event.dedupe_key})) {
            ++routed.repeats;  // G3: the same 2xx, and nothing more.
            tx.count(duplicates_total.with({instance.name}));
            continue;
        }
        ++routed.events;
        tx.count(events_total.with({instance.name, as_label(event.topic)}));
        keep(context, ingress_id, event, effects_of(context, event));
    }
    if (routed.events + routed.repeats == 0) {
        routed.state = "ignored";
        if (routed.reason.empty()) routed.reason = "no_events";
    }
    before_route_commit.pass();
    return routed;
}

EventPipeline::Links EventPipeline::effects_of(Context& context, const Event& event) {
    if (event.topic == "message.received") return message_received(context, event);
    if (event.topic == "delivery.changed") return delivery_changed(context, event);
    if (event.topic == "consent.changed") consent_changed(context, event);
    return {};
}

// After its effects, so that the row is written once, with what it led to. That nobody else wrote
// the same event meanwhile is what the lease of the instance is for; the unique key makes it sure.
void EventPipeline::keep(Context& context, int64_t ingress_id, const Event& event,
                         const Links& links) {
    const auto& [tx, instance, routed, now, forced, trace] = context;
    const auto text = [](const std::string& id) { return id.empty() ? Value{} : Value{id}; };
    const size_t kept = tx.change(
        sql::event_insert,
        {mint_.ids.machine_id(), ingress_id == 0 ? Value{} : Value{ingress_id}, instance.name,
         event.dedupe_key, event.topic, text(links.contact_id), text(links.conversation_id),
         text(links.message_id), event.data.empty() ? std::string{"{}"} : event.data,
         event.at_ms == 0 ? now : event.at_ms, now, int64_t{forced}});
    if (kept == 0) {
        throw StoreError(StoreError::Kind::unavailable, "the same event was kept meanwhile");
    }
}

EventPipeline::Links EventPipeline::message_received(Context& context, const Event& event) {
    auto& [tx, instance, routed, now, forced, trace] = context;
    const ContactRef contact =
        find_or_create_contact(tx, mint_, event.from, event.also, event.contact_name, now);
    // Answers go to the address under which the contact is known, so it counts for consent as well.
    const bool opted_out = is_opted_out(tx, event.from, instance.name) ||
                           is_opted_out(tx, contact.address, instance.name);
    const ConsentEffect effect = consent_effect(event, opted_out);
    const ConversationRef conversation =
        find_or_create_conversation(tx, mint_,
                                    {.channel = instance.name,
                                     .contact_id = contact.contact_id,
                                     .address_id = contact.address_id,
                                     .at = now,
                                     .reopen = instance.single_conversation});

    const bool answered = effect.answered_by_provider || opted_out;
    const bool runs_flow = !instance.flow.empty() && conversation.mode == "flow" && !answered;
    std::optional<LanePlace> place;  // Before the conversation: lock order of the data model.
    if (runs_flow) place = lock_lane(tx, "flow:" + conversation.id);

    const StoredMessage stored = append_message(
        tx, mint_, inbound_message(instance, event, conversation.id, contact.contact_id), now);
    for (const Address& one : {event.from, contact.address}) {
        if (effect.new_state.empty()) break;
        set_consent(tx, mint_.ids,
                    {one, instance.name, effect.new_state, "word", stored.id, "guest", now});
        if (event.from == contact.address) break;
    }
    if (runs_flow) {
        enqueue_job(tx, mint_.ids,
                    {.queue = "flow",
                     .ukey = "flow:" + stored.id,
                     .kind = "flow",
                     .ref = stored.id,
                     .payload = instance.flow,
                     .trace = trace},
                    place, now);
        routed.queues.push_back("flow");
    }
    return {contact.contact_id, conversation.id, stored.id};
}

// The provider keeps a list of its own; ours follows it, so that nothing is offered that it would
// refuse.
void EventPipeline::consent_changed(Context& context, const Event& event) {
    const auto state = event.extra.find("state");
    if (state == event.extra.end() || (state->second != "in" && state->second != "out")) {
        throw Error(ErrorKind::internal, "the plugin's consent event has no state in or out");
    }
    set_consent(context.tx, mint_.ids,
                {event.from, context.instance.name, state->second, "provider", "",
                 context.instance.name, event.at_ms == 0 ? context.now : event.at_ms});
}

EventPipeline::Links EventPipeline::delivery_changed(Context& context, const Event& event) {
    auto& [tx, instance, routed, now, forced, trace] = context;
    const StatusApplied applied = apply_status_event(tx, mint_.ids,
                                                     {.channel = instance.name,
                                                      .provider_id = event.provider_id,
                                                      .our_message_id = event.our_message_id,
                                                      .status = std::string{word_of(event.status)},
                                                      .code = event.code,
                                                      .reason = event.reason,
                                                      .at = event.at_ms,
                                                      .raw = event.data},
                                                     now);
    if (applied.message_id.empty())
        return {};  // Early (G9): kept until its message has the provider's id.
    if (applied.lane_moved) routed.queues.push_back(instance.name);
    return {"", applied.conversation_id, applied.message_id};
}

}  // namespace patchbay
