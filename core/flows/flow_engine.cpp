#include "flows/flow_engine.hpp"

#include "base/failpoint.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "delivery/outbox.hpp"
#include "flows/flow_place.hpp"
#include "flows/statements.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

constexpr int rounds_before_retry = 5;
constexpr std::chrono::hours session_lifetime{24};

const Failpoint before_flow_commit{"flows.before_commit"};
const Failpoint after_flow_commit{"flows.after_commit"};

// Somebody changed the conversation between read and commit: the step is run again on what it is
// now.
struct VersionMoved : std::runtime_error {
    VersionMoved() : std::runtime_error("the conversation changed while its flow step ran") {}
};

Event event_of(const MessageView& message, const ConversationView& conversation) {
    Event event;
    event.topic = "message.received";
    event.dedupe_key = message.id;
    event.provider_id = message.provider_id.value_or("");
    event.conversation = conversation.external_id.value_or("");
    event.kind = message.kind;
    event.text = message.body;
    event.from = conversation.address.value_or(Address{});
    event.to = Address{event.from.kind, message.own};
    event.contact_name = conversation.contact_name;
    event.at_ms = message.event_at;
    for (const MediaView& media : message.media) {
        event.media.push_back({.id = media.id, .type = media.type, .name = media.name});
    }
    return event;
}

Draft draft_of(const ClaimedJob& job, const OutboundMessage& message,
               const std::string& conversation, const std::string& own, size_t place) {
    Draft draft;
    draft.conversation_id = conversation;
    draft.from = own;
    draft.sender_type = "bot";
    draft.sender_name = job.payload;
    draft.text = message.text;
    draft.media = message.media;
    draft.from_template = message.from_template;
    draft.ukey = "flow:" + std::to_string(job.id) + ":" + std::to_string(place);
    draft.trace = job.trace;
    return draft;
}

// What answers a forced replay is marked as one too (G24).
std::string attributes_of_answer(const MessageView& inbound) {
    JsonObject attributes = make_object();
    const auto mark = text_at(parse_json(inbound.attributes), forced_replay_attribute);
    if (mark) attributes->set(forced_replay_attribute, *mark);
    return to_json(attributes);
}

}  // namespace

struct FlowEngine::Session {
    std::string id;  // Empty: none yet.
    FlowPlace place;
};

struct FlowEngine::Situation {
    MessageView message;
    ConversationView conversation;
    Session session;
};

FlowEngine::FlowEngine(Store& store, PluginHost& plugins, Mint& mint,
                       std::function<void(const std::string&)> wake)
    : store_(store), plugins_(plugins), mint_(mint), wake_(std::move(wake)) {}

void FlowEngine::run(const ClaimedJob& job) {
    for (int round = 1;; ++round) {
        const Situation situation = read(job);
        const StepResult result = run_step(job, situation);
        try {
            commit(job, situation, result);
            after_flow_commit.pass();
            return;
        } catch (const VersionMoved&) {
            if (round == rounds_before_retry) throw;
        }
    }
}

FlowEngine::Situation FlowEngine::read(const ClaimedJob& job) {
    return store_.read([&](patchbay::Session& session) {
        auto message = find_message(session, job.ref);
        if (!message) throw Error(ErrorKind::not_found, "the message of the flow job is gone");
        auto conversation = find_conversation(session, message->conversation_id);
        if (!conversation) throw Error(ErrorKind::not_found, "the flow's conversation is gone");
        Situation situation{std::move(*message), std::move(*conversation), {}};
        if (const auto row = session.first(sql::flow_find, {situation.conversation.id})) {
            situation.session = {row->text(0), {row->text(3), row->text(4)}};
        }
        return situation;
    });
}

StepResult FlowEngine::run_step(const ClaimedJob& job, const Situation& situation) {
    const auto& [message, conversation, session] = situation;
    if (conversation.mode != "flow" || !conversation.is_live()) return {};  // Staff took over.

    const PluginLeasePtr flow = plugins_.lease(job.payload);
    if (!flow) throw Error(ErrorKind::unavailable, "flow instance is not active: " + job.payload);
    StepInput input;
    input.step = step_to_run(*flow, session.place);
    input.state = session.place.data;
    input.event = event_of(message, conversation);
    input.conversation = conversation.id;
    input.contact = conversation.contact_id.value_or("");
    input.now_ms = message.created_at;
    return flow->run(Call{.trace = job.trace, .left = flow_step_deadline}, input);
}

void FlowEngine::commit(const ClaimedJob& job, const Situation& situation,
                        const StepResult& result) {
    const ConversationView& conversation = situation.conversation;
    const bool sends = !result.actions.empty();
    store_.write([&](Transaction& tx) {
        const TimeMs now = store_.clock().now_ms();
        touch_lane(tx, job.lane);
        const std::string attributes = attributes_of_answer(situation.message);
        for (size_t place = 0; place < result.actions.size(); ++place) {
            const Action& action = result.actions[place];
            if (action.kind != "send" || !action.message) {
                throw Error(ErrorKind::unsupported, "flow action not known here: " + action.kind);
            }
            try {
                Draft draft =
                    draft_of(job, *action.message, conversation.id, situation.message.own, place);
                draft.attributes = attributes;
                queue_message(tx, mint_, draft, now);
            } catch (const SendRefused& refused) {
                // An answer that may not be sent is no reason to stop the flow: the opt-out came
                // while the step ran.
                log_warn("flows", "answer not sent",
                         {{"conversation", conversation.id}, {"code", refused.code}});
            }
        }
        const auto version =
            tx.first(sql::conversation_change,
                     {conversation.state, conversation.mode, conversation.kind,
                      nullable(conversation.department), nullable(conversation.assignee),
                      conversation.purpose, conversation.context, Value{}, now, conversation.id,
                      conversation.version});
        if (!version) throw VersionMoved();
        save_session(tx, job, situation, result, now);
        before_flow_commit.pass();
        end_job(tx, job, "done", "", now);
    });
    if (sends) wake_(conversation.channel);
}

// A flow that keeps no state and names no next step (auto_reply) has no session.
void FlowEngine::save_session(Transaction& tx, const ClaimedJob& job, const Situation& situation,
                              const StepResult& result, TimeMs now) {
    const Session& session = situation.session;
    const TimeMs expires = now + std::chrono::milliseconds{session_lifetime}.count();
    const FlowPlace after = place_after(session.place, result);
    if (!session.id.empty()) {
        const std::string state = ends_flow(result) ? "done" : "active";
        tx.run(sql::flow_commit, {after.step, after.data, state, expires, now, session.id});
    } else if (!ends_flow(result)) {
        tx.run(sql::flow_start, {mint_.ids.uuid(), situation.conversation.id, job.payload,
                                 int64_t{1}, after.step, after.data, expires, now, now});
    }
}

}  // namespace patchbay
