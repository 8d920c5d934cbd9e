// GET, POST /api/v1/messages; GET /api/v1/messages/{id}; POST .../resend; POST
// /api/v1/conversations/{id}/messages
#include <patchbay/sdk.hpp>

#include "api/conversations.hpp"
#include "api/drafts.hpp"
#include "api/idempotency.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/send_refusal.hpp"
#include "api/shapes.hpp"
#include "api/statements.hpp"
#include "delivery/interventions.hpp"
#include "delivery/outbox.hpp"
#include "messaging/phone.hpp"
#include "messaging/sight.hpp"
#include "messaging/sight_statements.hpp"

namespace patchbay {
namespace {

Response queue(Transaction& tx, ApiContext& context, const Caller& caller, const Draft& draft) {
    try {
        const QueuedMessage queued = queue_message(tx, context.mint, draft, context.now());
        if (!queued.conversation_created) {
            // A contact's live conversation may belong to others.
            require_conversation(tx, context, caller, queued.conversation_id);
        }
        Response response = json_response(202, message_json(*find_message(tx, queued.message_id)));
        response.headers["location"] = "/api/v1/messages/" + queued.message_id;
        return response;
    } catch (const SendRefused& refused) {
        rethrow_refusal(refused);
    }
}

void queue_once(const ExchangePtr& exchange, ApiContext& context, Draft draft) {
    set_sender(draft, exchange->caller);
    draft.trace = exchange->request().trace;
    draft.limits = limits_of(context, draft.channel);
    const std::string channel = draft.channel;
    answer_once(
        exchange, context,
        [&context, caller = exchange->caller, draft = std::move(draft)](Transaction& tx) {
            return queue(tx, context, caller, draft);
        },
        [&context, channel] { context.wake(channel); });
}

ConversationView conversation_for(const ExchangePtr& exchange, const ApiContext& context,
                                  const std::string& id) {
    return context.store.read([&](Session& session) {
        return require_conversation(session, context, exchange->caller, id);
    });
}

void create(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    Draft draft;
    // Sending alone does not take a conversation out of its flow: an answer is answered as ever.
    draft.mode = "flow";
    draft.channel = fields.required_text("channel", 63);
    const auto conversation_id = fields.text("conversation_id");
    const std::string to =
        conversation_id ? fields.text("to").value_or("") : fields.required_text("to", 320);
    read_content(fields, draft);
    if (!to.empty()) {
        const auto address = parse_address(to);
        if (address) {
            draft.to = *address;
        } else {
            fields.refuse("to", "invalid_phone_number", "needs the country code, as in +27...");
        }
    }
    fields.done();
    draft.reopen = require_channel(context, draft.channel)->single_conversation;
    if (conversation_id) {
        const auto conversation = conversation_for(exchange, context, *conversation_id);
        if (conversation.channel != draft.channel) {
            throw Problem("invalid_field", "The conversation is not one of this channel.",
                          {{"/channel", "invalid_field", "is not the conversation's"}});
        }
        draft.conversation_id = conversation.id;
    }
    queue_once(exchange, context, std::move(draft));
}

void create_in_conversation(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    Draft draft;
    read_content(fields, draft);
    fields.done();
    const auto conversation = conversation_for(exchange, context, exchange->params.at("id"));
    draft.conversation_id = conversation.id;
    draft.channel = conversation.channel;
    queue_once(exchange, context, std::move(draft));
}

/// The addresses of the filter's contact (a phone number or a contact id); nullopt without that
/// filter.
std::optional<std::vector<std::string>> peers_of(Session& session, const ListRequest& list) {
    const auto contact = list.filter("contact");
    if (!contact) return std::nullopt;
    if (const auto number = to_e164(*contact)) return std::vector<std::string>{*number};
    std::vector<std::string> peers;
    if (const auto known = find_contact(session, *contact)) {
        for (const Address& address : known->addresses) peers.push_back(address.value);
    }
    return peers;
}

/// One way to read messages, newest first: what finds the end of a window, what gives the visible
/// ones in it, and what stands before their cursors.
struct Source {
    const Statement *window, *seen;
    Values first;
};

std::vector<Source> sources_for(const ListRequest& list,
                                const std::optional<std::vector<std::string>>& peers) {
    using namespace sql;
    std::vector<Source> sources;
    if (peers) {
        for (const auto& peer : *peers) {
            sources.push_back({&message_window_peer, &message_seen_peer, {peer}});
        }
    } else if (const auto channel = list.filter("channel")) {
        sources.push_back({&message_window_channel, &message_seen_channel, {*channel}});
    } else {
        sources.push_back({&message_window, &message_seen_all, {}});
    }
    return sources;
}

/// Of several sources the window ends where the first of theirs does.
std::optional<Cursor> window_of(Session& session, const std::vector<Source>& sources,
                                const Cursor& after, int64_t count) {
    std::optional<Cursor> last;
    for (const Source& source : sources) {
        Values values = source.first;
        values.insert(values.end(), {after.text, count - 1});
        const auto row = session.first(*source.window, values);
        if (row && (!last || row->text(0) > last->text)) last = Cursor{0, row->text(0)};
    }
    return last;
}

std::vector<MessageView> fetch(Session& session, const Sight& sight,
                               const std::vector<Source>& sources, const Cursor& after,
                               const std::optional<Cursor>& last) {
    std::vector<MessageView> found;
    for (const Source& source : sources) {
        Values values = source.first;
        values.insert(values.end(), {after.text, last ? last->text : ""});
        for (const Row& row : session.run(*source.seen, sight_values(sight, values))) {
            found.push_back(MessageView::from_row(row));
        }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id > b.id; });
    return found;
}

bool admits(const ListRequest& list, const MessageView& one) {
    return list.admits("channel", one.channel) && list.admits("status", one.status) &&
           list.admits("direction", one.direction) &&
           list.admits("provider_id", one.provider_id.value_or(""));
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "messages");
    const JsonObject answer = context.store.read([&](Session& session) {
        const Sight sight = sight_of(exchange->caller);
        const auto sources = sources_for(list, peers_of(session, list));
        SeenScan<MessageView> scan;
        scan.window = [&](const Cursor& after, int64_t count) {
            return window_of(session, sources, after, count);
        };
        scan.fetch = [&](const Cursor& after, const std::optional<Cursor>& last) {
            return fetch(session, sight, sources, after, last);
        };
        scan.cursor_of = [](const auto& one) { return Cursor{0, one.id}; };
        scan.judge = [&](const MessageView& one) {
            if (one.created_at < list.since()) return Keep::stop;
            return admits(list, one) ? Keep::yes : Keep::no;
        };
        auto page = read_page(scan, list);
        load_media(session, page.items);
        JsonArray items = make_array();
        for (const auto& one : page.items) items->add(message_json(one));
        return list_json(items,
                         page.next ? std::optional(list.cursor_text(*page.next)) : std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

JsonArray history_json(Session& session, const std::string& message_id) {
    JsonArray events = make_array();
    for (const Row& row : session.run(sql::message_history, {message_id})) {
        JsonObject event = make_object();
        event->set("status", row.text(0));
        event->set("at", time_json(row.number(1)));
        event->set("code", json_or_null(row.maybe_text(2)));
        events->add(event);
    }
    return events;
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    const JsonObject answer = context.store.read([&](Session& session) {
        const auto message =
            find_seen_message(session, sight_of(exchange->caller), exchange->params.at("id"));
        if (!message) throw unknown_id("message");
        JsonObject json = message_json(*message);
        json->set("events", history_json(session, message->id));
        return json;
    });
    answer_json(exchange, 200, answer);
}

/// Once more what has failed; what is under way or arrived is not sent twice by mistake.
void require_failed(const MessageView& message) {
    const std::string& status = message.status;
    if (status == "failed" || status == "expired" || status == "cancelled") return;
    const bool is_open = status == "queued" || status == "sending" || status == "unknown";
    throw Problem(is_open ? "delivery_running" : "delivery_finished",
                  is_open ? "The message is still on its way." : "The message has gone out.");
}

void resend(const ExchangePtr& exchange, ApiContext& context) {
    const auto channel = std::make_shared<std::string>();
    answer_once(
        exchange, context,
        [&context, caller = exchange->caller, id = exchange->params.at("id"),
         channel](Transaction& tx) {
            const auto message = find_seen_message(tx, sight_of(caller), id);
            if (!message || message->direction != "out") throw unknown_id("message");
            require_failed(*message);
            try {
                const auto queued = resend_message(tx, context.mint, message->id, context.now());
                *channel = queued.channel;
                Response response =
                    json_response(202, message_json(*find_message(tx, queued.message_id)));
                response.headers["location"] = "/api/v1/messages/" + queued.message_id;
                return response;
            } catch (const SendRefused& refused) {
                rethrow_refusal(refused);
            }
        },
        [&context, channel] { context.wake(*channel); });
}

}  // namespace

void rethrow_refusal(const SendRefused& refused) {
    if (refused.code == "not_found") throw unknown_id("conversation");
    const std::string pointer = refused.code == "text_too_long"       ? "/text"
                                : refused.code == "unsupported_media" ? "/media"
                                                                      : "";
    std::vector<FieldProblem> errors;
    if (!pointer.empty()) errors.push_back({pointer, refused.code, refused.what()});
    throw Problem(refused.code, refused.what(), errors);
}

std::vector<std::string> send_problems(std::vector<std::string> more) {
    more.insert(more.end(), {"conversation_closed", "recipient_opted_out", "window_closed",
                             "text_too_long", "unsupported_media", "rate_limited"});
    return more;
}

void add_message_routes(Router& router, ApiContext& context) {
    router.add({.name = "messages.list",
                .method = "GET",
                .path = "/api/v1/messages",
                .roles = roles::message_readers,
                .about = "Messages of all conversations, newest first.",
                .query = list_query({{"channel"},
                                     {"provider_id"},
                                     {"contact"},
                                     {"status", "MessageStatus"},
                                     {"direction", "Direction"},
                                     {"since", "SinceTime"}}),
                .answers = page_of("Message")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "messages.get",
                .method = "GET",
                .path = "/api/v1/messages/{id}",
                .roles = roles::message_readers,
                .about = "One message with the history of its status.",
                .answers = {{.schema = "Message"}}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
    router.add(
        {.name = "messages.create",
         .method = "POST",
         .path = "/api/v1/messages",
         .body = BodyKind::json,
         .roles = roles::message_writers,
         .about = "Queues a message; never waits for the provider.",
         .takes = "NewMessage",
         .answers = {{202, "Message"}},
         .problems = send_problems({"unknown_channel", "invalid_phone_number", "unknown_id"})},
        [&](const ExchangePtr& exchange) { create(exchange, context); });
    router.add({.name = "messages.resend",
                .method = "POST",
                .path = "/api/v1/messages/{id}/resend",
                .body = BodyKind::none,
                .roles = roles::message_writers,
                .about = "A message that failed, expired or was cancelled, as a new one.",
                .answers = {{202, "Message"}},
                .problems = send_problems({"delivery_running", "delivery_finished"})},
               [&](const ExchangePtr& exchange) { resend(exchange, context); });
    router.add({.name = "conversations.send",
                .method = "POST",
                .path = "/api/v1/conversations/{id}/messages",
                .body = BodyKind::json,
                .roles = roles::message_writers,
                .about = "Queues a message in a conversation.",
                .takes = "NewReply",
                .answers = {{202, "Message"}},
                .problems = send_problems()},
               [&](const ExchangePtr& exchange) { create_in_conversation(exchange, context); });
}

}  // namespace patchbay
