// GET /api/v1/audit, /check
#include "identity/audit.hpp"

#include "api/answers.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "identity/statements.hpp"

namespace patchbay {
namespace {

// Columns of PATCHBAY_AUDIT_COLUMNS.
enum Column : size_t {
    seq,
    at,
    actor_type,
    actor,
    action,
    object_type,
    object,
    remote,
    request_id,
    before,
    after,
    prev_hash,
    hash
};

JsonValue stored_json(const Row& row, Column column) {
    const auto text = row.maybe_text(column);
    return text ? json_or_empty_object(*text) : json_null();
}

JsonObject typed(const std::string& type, const std::string& id) {
    JsonObject json = make_object();
    json->set("type", type);
    json->set("id", id.empty() ? json_null() : JsonValue(id));
    return json;
}

JsonObject record_json(const Row& row) {
    JsonObject json = make_object();
    json->set("seq", row.number(Column::seq));
    json->set("at", time_json(row.number(Column::at)));
    json->set("actor", typed(row.text(Column::actor_type), row.text(Column::actor)));
    json->set("action", row.text(Column::action));
    json->set("object", typed(row.text(Column::object_type), row.text(Column::object)));
    json->set("remote", json_or_null(row.maybe_text(Column::remote)));
    json->set("request_id", json_or_null(row.maybe_text(Column::request_id)));
    json->set("before", stored_json(row, Column::before));
    json->set("after", stored_json(row, Column::after));
    json->set("hash", row.text(Column::hash));
    return json;
}

/// The narrowest order that holds what is asked for.
Rows fetch(Session& session, const ListRequest& list, const Cursor& until, int64_t count) {
    const auto type = list.filter("object_type");
    const auto object = list.filter("object");
    if (type && object) {
        return session.run(sql::audit_list_object, {*type, *object, until.number, count});
    }
    if (const auto who = list.filter("actor")) {
        return session.run(sql::audit_list_actor, {*who, until.number, count});
    }
    return session.run(sql::audit_list, {until.number, count});
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "audit");
    const JsonObject answer = context.store.read([&](Session& session) {
        Scan<Row> scan;
        scan.fetch = [&](const Cursor& until, int64_t count) {
            return fetch(session, list, until, count);
        };
        scan.cursor_of = [](const Row& row) { return Cursor{row.number(Column::seq), ""}; };
        scan.judge = [&](const Row& row) {
            if (row.number(Column::at) < list.since()) return Keep::stop;
            const bool wanted = list.admits("actor", row.text(Column::actor)) &&
                                list.admits("action", row.text(Column::action)) &&
                                list.admits("object_type", row.text(Column::object_type)) &&
                                list.admits("object", row.text(Column::object));
            return wanted ? Keep::yes : Keep::no;
        };
        const auto page = read_page(scan, list);
        JsonArray items = make_array();
        for (const Row& row : page.items) items->add(record_json(row));
        return list_json(items,
                         page.next ? std::optional(list.cursor_text(*page.next)) : std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

void check(const ExchangePtr& exchange, ApiContext& context) {
    const AuditCheck check =
        context.store.read([](Session& session) { return check_audit(session); });
    JsonObject json = make_object();
    json->set("rows", check.rows);
    json->set("seq", check.head.seq);
    json->set("hash", check.head.hash);
    json->set("problem", check.problem.empty() ? json_null() : JsonValue(check.problem));
    answer_json(exchange, 200, json);
}

}  // namespace

void add_audit_routes(Router& router, ApiContext& context) {
    router.add({.name = "audit.list",
                .method = "GET",
                .path = "/api/v1/audit",
                .roles = roles::admins,
                .about = "Who did what, the newest first.",
                .query = list_query(
                    {{"actor"}, {"action"}, {"object_type"}, {"object"}, {"since", "SinceTime"}}),
                .answers = page_of("AuditRecord")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "audit.check",
                .method = "GET",
                .path = "/api/v1/audit/check",
                .roles = roles::admins,
                .about = "Whether the chain of records is whole, and its newest hash.",
                .answers = {{.schema = "AuditCheck"}}},
               [&](const ExchangePtr& exchange) { check(exchange, context); });
}

}  // namespace patchbay
