// POST /api/v1/conversations/{id}/assign, close, reopen, read, relay, end-relay, typing
#include <patchbay/sdk.hpp>

#include "api/answers.hpp"
#include "api/conversations.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/shapes.hpp"
#include "base/log.hpp"
#include "identity/departments.hpp"
#include "identity/users.hpp"
#include "messaging/conversations.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr int64_t messages_looked_at = 20;
constexpr std::chrono::milliseconds longest_typing_call = 3s;

/// What one action makes of the conversation as it is. Throws Problem.
using Action = std::function<ConversationChanges(Transaction& tx, const ConversationView& before)>;

void require_live(const ConversationView& conversation) {
    if (!conversation.is_live())
        throw Problem("conversation_closed", "The conversation is closed.");
}

void change(Transaction& tx, const ConversationView& before, const ConversationChanges& changes,
            TimeMs now) {
    switch (change_conversation(tx, before.id, changes, now)) {
        case Changed::done:
            return;
        case Changed::not_found:
            throw unknown_id("conversation");
        case Changed::stale:  // Between two statements of one transaction, on PostgreSQL.
            throw StoreError(StoreError::Kind::unavailable, "the conversation changed meanwhile");
        case Changed::taken:
            throw Problem("conversation_open", "The contact has another open conversation.");
    }
}

void act(const ExchangePtr& exchange, ApiContext& context, Action action) {
    answer_once(exchange, context,
                [&context, caller = exchange->caller, id = exchange->params.at("id"),
                 action = std::move(action)](Transaction& tx) {
                    const auto before = require_conversation(tx, context, caller, id);
                    change(tx, before, action(tx, before), context.now());
                    // By its id: a caller may hand over what it sees no longer then.
                    return json_response(
                        200, conversation_json(tx, find_conversation(tx, before.id).value()));
                });
}

void close(const ExchangePtr& exchange, ApiContext& context) {
    act(exchange, context, [](Transaction&, const ConversationView& before) {
        require_live(before);
        return ConversationChanges{.state = "closed"};
    });
}

void reopen(const ExchangePtr& exchange, ApiContext& context) {
    act(exchange, context, [](Transaction&, const ConversationView& before) {
        if (before.is_live()) throw Problem("conversation_open", "The conversation is open.");
        if (before.state == "archived") {
            throw Problem("conversation_closed", "The conversation was closed for good.");
        }
        return ConversationChanges{.state = "open"};
    });
}

/// By its display name; empty for null. nullopt when the field is absent or names none.
std::optional<std::string> read_department(Fields& fields, const ApiContext& context) {
    const auto given = fields.text("department", 200);
    if (!given) {
        return fields.is_null("department") ? std::optional<std::string>("") : std::nullopt;
    }
    const ConfigPtr config = context.config();
    if (auto name = find_department(config->departments, *given)) return name;
    fields.refuse("department", "unknown_department", "names none");
    fields.tell("known", to_json(json_texts(config->departments)));
    return std::nullopt;
}

/// Who can be given a conversation: an active person who answers.
std::string require_assignee(Session& session, const std::string& id) {
    const auto user = id.empty() ? std::nullopt : find_user(session, id);
    const bool answers = user && user->active() && user->role != "viewer" && user->role != "api";
    if (!answers) {
        throw Problem("invalid_field", "The assignee is nobody who can answer.",
                      {{"/assignee", "invalid_field", "names nobody who can answer"}});
    }
    return user->id;
}

void assign(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const auto assignee = fields.text("assignee", 64);
    const bool nobody = fields.is_null("assignee");
    const auto department = read_department(fields, context);
    const bool somewhere = fields.has("department") || fields.is_null("department");
    if (!assignee && !nobody && !somewhere) {
        fields.refuse("assignee", "missing_field", "or department is required");
    }
    fields.done();
    act(exchange, context, [=](Transaction& tx, const ConversationView& before) {
        require_live(before);
        ConversationChanges changes{.department = department};
        if (assignee) changes.assignee = require_assignee(tx, *assignee);
        if (nobody) changes.assignee = "";
        return changes;
    });
}

void relay(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const auto department = read_department(fields, context);
    fields.done();
    act(exchange, context, [=](Transaction&, const ConversationView& before) {
        require_live(before);
        return ConversationChanges{.mode = "relay", .department = department};
    });
}

void end_relay(const ExchangePtr& exchange, ApiContext& context) {
    act(exchange, context, [](Transaction&, const ConversationView& before) {
        require_live(before);
        return ConversationChanges{.mode = "flow"};
    });
}

void mark_read(const ExchangePtr& exchange, ApiContext& context) {
    answer_once(
        exchange, context,
        [&context, caller = exchange->caller, id = exchange->params.at("id")](Transaction& tx) {
            const auto before = require_conversation(tx, context, caller, id);
            const std::string user = caller.kind == "user" ? caller.id : "";
            mark_conversation_read(tx, before.id, user, before.last_seq, context.now());
            return json_response(200,
                                 conversation_json(tx, find_conversation(tx, before.id).value()));
        });
}

/// What a provider's typing sign is about: the newest message that came in.
Mark mark_of(Session& session, const ConversationView& conversation) {
    Mark mark;
    mark.external_conversation = conversation.external_id.value_or("");
    if (conversation.address) mark.to = *conversation.address;
    for (const Row& row :
         session.run(sql::message_list, {conversation.id, INT64_MAX, messages_looked_at})) {
        const auto message = MessageView::from_row(row);
        if (message.direction != "in") continue;
        mark.provider_id = message.provider_id.value_or("");
        mark.from = {mark.to.kind, message.own};
        break;
    }
    return mark;
}

/// Blocks for as long as the provider takes. Nobody misses a sign that was not shown.
void show_typing(const ApiContext& context, const std::string& trace, const std::string& channel,
                 const Mark& mark) {
    const PluginLeasePtr lease = context.plugins ? context.plugins->lease(channel) : nullptr;
    if (!lease || !lease->provides("channel/1") || !lease->capabilities().typing) return;
    try {
        lease->typing(Call{.trace = trace, .left = longest_typing_call}, mark);
    } catch (const std::exception& error) {
        log_debug("api", "the typing sign was not shown",
                  {{"instance", channel}, {"error", error.what()}});
    }
}

void typing(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const auto is_typing = fields.flag("is_typing");
    if (!fields.has("is_typing")) fields.refuse("is_typing", "missing_field", "is required");
    fields.done();
    if (!begins_once(exchange, context.store)) return;
    std::string channel;
    const Mark mark = context.store.read([&](Session& session) {
        const auto conversation =
            require_conversation(session, context, exchange->caller, exchange->params.at("id"));
        require_live(conversation);
        channel = conversation.channel;
        if (context.realtime) {
            context.realtime->typing(conversation.id, exchange->caller, *is_typing);
        }
        return mark_of(session, conversation);
    });
    Response response;
    response.status = 204;
    exchange->answer(response);
    if (*is_typing) show_typing(context, exchange->id(), channel, mark);
}

}  // namespace

void add_conversation_action_routes(Router& router, ApiContext& context) {
    struct Entry {
        const char* name;
        BodyKind body;
        void (*handler)(const ExchangePtr&, ApiContext&);
        const char* about;
        const char* takes = "";
        std::vector<std::string> problems{};
    };
    const std::vector<std::string> closed = {"conversation_closed"};
    const Entry entries[] = {
        {"assign",
         BodyKind::json,
         assign,
         "Gives it to a person, a department, or nobody (null).",
         "Assignment",
         {"conversation_closed", "unknown_department"}},
        {"close", BodyKind::none, close, "The contact's next message opens another one.", "",
         closed},
        {"reopen",
         BodyKind::none,
         reopen,
         "Unless the contact has another open one.",
         "",
         {"conversation_open", "conversation_closed"}},
        {"read", BodyKind::none, mark_read, "All messages so far."},
        {"relay",
         BodyKind::json,
         relay,
         "People answer, no flow; in a department where one is given.",
         "RelayWish",
         {"conversation_closed", "unknown_department"}},
        {"end-relay", BodyKind::none, end_relay, "The flow answers again.", "", closed},
    };
    for (const Entry& entry : entries) {
        router.add({.name = std::string("conversations.") + entry.name,
                    .method = "POST",
                    .path = std::string("/api/v1/conversations/{id}/") + entry.name,
                    .body = entry.body,
                    .roles = roles::message_writers,
                    .about = entry.about,
                    .takes = entry.takes,
                    .answers = {{.schema = "Conversation"}},
                    .problems = entry.problems},
                   [&context, handler = entry.handler](const ExchangePtr& exchange) {
                       handler(exchange, context);
                   });
    }
    router.add({.name = "conversations.typing",
                .method = "POST",
                .path = "/api/v1/conversations/{id}/typing",
                .body = BodyKind::json,
                .roles = roles::message_writers,
                .about = "Shows to the others, and to the contact where the channel can, that "
                         "somebody writes.",
                .takes = "TypingSign",
                .answers = {{204}},
                .problems = closed},
               [&](const ExchangePtr& exchange) { typing(exchange, context); });
}

}  // namespace patchbay
