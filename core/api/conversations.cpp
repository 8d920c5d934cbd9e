// GET /api/v1/conversations, /{id}, /{id}/messages
#include "api/conversations.hpp"

#include <patchbay/sdk.hpp>
#include <tuple>

#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/shapes.hpp"
#include "api/statements.hpp"
#include "identity/departments.hpp"
#include "messaging/phone.hpp"
#include "messaging/sight.hpp"
#include "messaging/sight_statements.hpp"

namespace patchbay {
namespace {

/// One way to read conversations, newest first: what finds the end of a window, what gives the
/// visible ones in it, and what stands before their cursors.
struct Source {
    const Statement *window, *seen;
    Values first;
};

/// The narrowest sources that hold everything the caller may see and asks for.
std::vector<Source> sources_for(const Sight& sight, const ListRequest& list,
                                const std::optional<std::string>& department) {
    using namespace sql;
    if (const auto contact = list.filter("contact")) {
        return {{&conversation_window_contact, &conversation_seen_contact, {*contact}}};
    }
    const auto assignee = sight.assignee ? sight.assignee : list.filter("assignee");
    if (assignee) {
        return {{&conversation_window_assignee, &conversation_seen_assignee, {*assignee}}};
    }
    if (department) {
        return {{&conversation_window_department, &conversation_seen_department, {*department}}};
    }
    if (sight.all) return {{&conversation_window, &conversation_seen_all, {}}};
    std::vector<Source> sources;
    for (const auto& own : sight.departments) {
        sources.push_back({&conversation_window_department, &conversation_seen_department, {own}});
    }
    sources.push_back({&conversation_window_no_department, &conversation_seen_no_department, {}});
    return sources;
}

bool is_before(const Cursor& a, const Cursor& b) {
    return std::tie(a.number, a.text) > std::tie(b.number, b.text);
}

/// Of several sources the window ends where the first of theirs does.
std::optional<Cursor> window_of(Session& session, const std::vector<Source>& sources,
                                const Cursor& after, int64_t count) {
    std::optional<Cursor> last;
    for (const Source& source : sources) {
        Values values = source.first;
        values.insert(values.end(), {after.number, after.text, count - 1});
        const auto row = session.first(*source.window, values);
        if (!row) continue;
        const Cursor end{row->number(0), row->text(1)};
        if (!last || is_before(end, *last)) last = end;
    }
    return last;
}

std::vector<ConversationView> fetch(Session& session, const Sight& sight,
                                    const std::vector<Source>& sources, const Cursor& after,
                                    const std::optional<Cursor>& last) {
    const Cursor end = last.value_or(Cursor{INT64_MIN, ""});
    std::vector<ConversationView> found;
    for (const Source& source : sources) {
        Values values = source.first;
        values.insert(values.end(), {after.number, after.text, end.number, end.text});
        for (const Row& row : session.run(*source.seen, sight_values(sight, values))) {
            found.push_back(ConversationView::from_row(row));
        }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return std::tie(a.last_message_at, a.id) > std::tie(b.last_message_at, b.id);
    });
    return found;
}

bool admits(const ListRequest& list, const std::optional<std::string>& department,
            const ConversationView& one) {
    const auto words = list.filter("q");
    return list.admits("channel", one.channel) && list.admits("state", one.state) &&
           list.admits("mode", one.mode) && list.admits("kind", one.kind) &&
           list.admits("assignee", one.assignee.value_or("")) &&
           list.admits("contact", one.contact_id.value_or("")) &&
           (!department || one.department == department) && (!words || one.mentions(*words));
}

/// The filter's department by its display name. Throws Problem unknown_department.
std::optional<std::string> department_filter(const ListRequest& list, const ApiContext& context) {
    const auto given = list.filter("department");
    if (!given) return std::nullopt;
    const ConfigPtr config = context.config();
    const auto name = find_department(config->departments, *given);
    if (name) return name;
    throw Problem("unknown_department", "There is no department \"" + *given + "\".",
                  {{"?department", "unknown_department", "names none"}})
        .with("known", to_json(json_texts(config->departments)));
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "conversations");
    const auto department = department_filter(list, context);
    const Sight sight = sight_of(exchange->caller);
    const auto sources = sources_for(sight, list, department);
    const JsonObject answer = context.store.read([&](Session& session) {
        SeenScan<ConversationView> scan;
        scan.window = [&](const Cursor& after, int64_t count) {
            return window_of(session, sources, after, count);
        };
        scan.fetch = [&](const Cursor& after, const std::optional<Cursor>& last) {
            return fetch(session, sight, sources, after, last);
        };
        scan.cursor_of = [](const auto& one) { return Cursor{one.last_message_at, one.id}; };
        scan.judge = [&](const ConversationView& one) {
            if (one.last_message_at < list.since()) return Keep::stop;
            return admits(list, department, one) ? Keep::yes : Keep::no;
        };
        const auto page = read_page(scan, list);
        JsonArray items = make_array();
        for (const auto& one : page.items) items->add(conversation_json(session, one));
        return list_json(items,
                         page.next ? std::optional(list.cursor_text(*page.next)) : std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

std::optional<ConversationView> find_by_sid(Session& session, const ApiContext& context,
                                            const Sight& sight, const std::string& sid) {
    const ConfigPtr config = context.config();
    for (const auto& instance : config->plugins) {
        const auto row = session.first(sql::conversation_by_external, {instance.name, sid});
        if (row) return find_seen_conversation(session, sight, row->text(0));
    }
    return std::nullopt;
}

/// The newest that the caller may see.
std::optional<ConversationView> find_by_phone(Session& session, const Sight& sight,
                                              const std::string& phone) {
    const auto number = to_e164(phone);
    if (!number) return std::nullopt;
    const auto address = session.first(sql::address_find, {std::string("phone"), *number});
    if (!address) return std::nullopt;
    const auto row =
        session.first(sql::conversation_seen_newest, sight_values(sight, {address->text(1)}));
    if (!row) return std::nullopt;
    return ConversationView::from_row(*row);
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    const JsonObject answer = context.store.read([&](Session& session) {
        return conversation_json(session, require_conversation(session, context, exchange->caller,
                                                               exchange->params.at("id")));
    });
    answer_json(exchange, 200, answer);
}

void list_messages(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "conversation_messages");
    const JsonObject answer = context.store.read([&](Session& session) {
        const auto conversation =
            require_conversation(session, context, exchange->caller, exchange->params.at("id"));
        Scan<MessageView> scan;
        scan.fetch = [&](const Cursor& after, int64_t count) {
            std::vector<MessageView> found;
            for (const Row& row :
                 session.run(sql::message_list, {conversation.id, after.number, count})) {
                found.push_back(MessageView::from_row(row));
            }
            return found;
        };
        scan.cursor_of = [](const auto& one) { return Cursor{one.seq, ""}; };
        scan.judge = [](const auto&) { return Keep::yes; };
        auto page = read_page(scan, list);
        load_media(session, page.items);
        JsonArray items = make_array();
        for (const auto& one : page.items) items->add(message_json(one));
        return list_json(items,
                         page.next ? std::optional(list.cursor_text(*page.next)) : std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

}  // namespace

ConversationView require_conversation(Session& session, const ApiContext& context,
                                      const Caller& caller, const std::string& id) {
    const Sight sight = sight_of(caller);
    std::optional<ConversationView> found;
    if (id.starts_with("sid:")) {
        found = find_by_sid(session, context, sight, id.substr(4));
    } else if (id.starts_with("phone:")) {
        found = find_by_phone(session, sight, id.substr(6));
    } else {
        found = find_seen_conversation(session, sight, id);
    }
    if (!found) throw unknown_id("conversation");
    return *found;
}

void add_conversation_routes(Router& router, ApiContext& context) {
    router.add({.name = "conversations.list",
                .method = "GET",
                .path = "/api/v1/conversations",
                .roles = roles::message_readers,
                .about = "Conversations, the one with the newest message first.",
                .query = list_query({{"channel"},
                                     {"state", "ConversationState"},
                                     {"mode", "ConversationMode"},
                                     {"kind"},
                                     {"department"},
                                     {"assignee"},
                                     {"contact"},
                                     {"q"},
                                     {"since", "SinceTime"}}),
                .answers = page_of("Conversation"),
                .problems = {"unknown_department"}},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "conversations.get",
                .method = "GET",
                .path = "/api/v1/conversations/{id}",
                .roles = roles::message_readers,
                .about = "One conversation, by id, number, sid:CH.. or phone:+1555..",
                .answers = {{.schema = "Conversation"}}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
    router.add({.name = "conversations.messages",
                .method = "GET",
                .path = "/api/v1/conversations/{id}/messages",
                .roles = roles::message_readers,
                .about = "Messages of a conversation, newest first.",
                .query = list_query(),
                .answers = page_of("Message")},
               [&](const ExchangePtr& exchange) { list_messages(exchange, context); });
}

}  // namespace patchbay
