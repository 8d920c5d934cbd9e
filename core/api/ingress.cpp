// GET /api/v1/ingress, /{id}; GET /api/v1/events
#include <charconv>
#include <patchbay/sdk.hpp>

#include "api/answers.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "inbound/statements.hpp"

namespace patchbay {
namespace {

/// Machine ids pass 2^53, so JSON shows them as text.
std::optional<int64_t> machine_id(const std::string& text) {
    int64_t id = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
    return id;
}

JsonObject ingress_json(const Row& row) {
    JsonObject json = make_object();
    json->set("id", std::to_string(row.number(0)));
    json->set("instance", row.text(1));
    json->set("route", row.text(2));
    json->set("received_at", time_json(row.number(3)));
    json->set("state", row.text(4));
    json->set("reason", json_or_null(row.maybe_text(5)));
    json->set("bytes", row.number(6));
    return json;
}

JsonObject event_json(const Row& row) {
    JsonObject json = make_object();
    json->set("id", std::to_string(row.number(0)));
    json->set("type", row.text(1));
    json->set("at", time_json(row.number(2)));
    json->set("conversation_id", json_or_null(row.maybe_text(3)));
    json->set("message_id", json_or_null(row.maybe_text(4)));
    json->set("channel", row.text(5));
    json->set("data", json_or_empty_object(row.text(6)));
    return json;
}

JsonArray events_of(Session& session, int64_t ingress_id) {
    JsonArray events = make_array();
    for (const Row& row : session.run(sql::event_list_ingress, {ingress_id})) {
        events->add(event_json(row));
    }
    return events;
}

std::vector<Row> fetch(Session& session, const std::optional<std::string>& state,
                       const Cursor& after, int64_t count) {
    if (state == "ignored" || state == "dead") {
        return session.run(sql::ingress_list_trouble, {*state, after.number, count});
    }
    return session.run(sql::ingress_list, {after.number, count});
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "ingress");
    const auto state = list.filter("state");
    const JsonObject answer = context.store.read([&](Session& session) {
        Scan<Row> scan;
        scan.fetch = [&](const Cursor& after, int64_t count) {
            return fetch(session, state, after, count);
        };
        scan.cursor_of = [](const Row& row) { return Cursor{row.number(0), ""}; };
        scan.judge = [&](const Row& row) {
            if (row.number(3) < list.since()) return Keep::stop;
            const bool wanted =
                list.admits("instance", row.text(1)) && list.admits("state", row.text(4));
            return wanted ? Keep::yes : Keep::no;
        };
        const auto page = read_page(scan, list);
        JsonArray items = make_array();
        for (const Row& row : page.items) {
            JsonObject json = ingress_json(row);
            json->set("events", events_of(session, row.number(0)));
            items->add(json);
        }
        return list_json(items,
                         page.next ? std::optional(list.cursor_text(*page.next)) : std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

/// The body holds what a customer wrote: for owner and admin, and only when asked for.
bool wants_body(const ExchangePtr& exchange) {
    const Query query = Query::parse(exchange->request().query);
    if (query.find("body") != "true") return false;
    if (exchange->caller.role != "owner" && exchange->caller.role != "admin") {
        throw Problem("forbidden", "The body is for owner and admin.");
    }
    return true;
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    const bool with_body = wants_body(exchange);
    const auto id = machine_id(exchange->params.at("id"));
    const JsonObject answer = context.store.read([&](Session& session) {
        const auto row = id ? session.first(sql::ingress_get, {*id}) : std::nullopt;
        if (!row) throw unknown_id("webhook");
        JsonObject json = ingress_json(*row);
        json->set("events", events_of(session, *id));
        if (with_body && is_utf8(row->bytes(7))) json->set("body", row->bytes(7));
        if (with_body && !is_utf8(row->bytes(7))) {
            json->set("body_base64", to_base64(row->bytes(7)));
        }
        return json;
    });
    answer_json(exchange, 200, answer);
}

void list_events(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "events");
    const JsonObject answer = context.store.read([&](Session& session) {
        Scan<Row> scan;
        scan.fetch = [&](const Cursor& after, int64_t count) {
            return session.run(sql::event_list, {after.number, count});
        };
        scan.cursor_of = [](const Row& row) { return Cursor{row.number(0), ""}; };
        scan.judge = [&](const Row& row) {
            if (row.number(0) < Ids::lowest_at(list.since())) return Keep::stop;
            const bool wanted =
                list.admits("type", row.text(1)) && list.admits("conversation", row.text_or(3, ""));
            return wanted ? Keep::yes : Keep::no;
        };
        const auto page = read_page(scan, list);
        JsonArray items = make_array();
        for (const Row& row : page.items) items->add(event_json(row));
        return list_json(items,
                         page.next ? std::optional(list.cursor_text(*page.next)) : std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

}  // namespace

void add_ingress_routes(Router& router, ApiContext& context) {
    router.add(
        {.name = "ingress.list",
         .method = "GET",
         .path = "/api/v1/ingress",
         .roles = roles::operators,
         .about = "Webhooks as they came, newest first.",
         .query = list_query({{"instance"}, {"state", "IngressState"}, {"since", "SinceTime"}}),
         .answers = page_of("Webhook")},
        [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "ingress.get",
                .method = "GET",
                .path = "/api/v1/ingress/{id}",
                .roles = roles::operators,
                .about = "One webhook with the events it became; its body with ?body=true.",
                .query = {{"body", "Flag"}},
                .answers = {{.schema = "Webhook"}}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
    router.add({.name = "events.list",
                .method = "GET",
                .path = "/api/v1/events",
                .roles = roles::operators,
                .about = "What the plugins made of the webhooks, newest first.",
                .query = list_query({{"type"}, {"conversation"}, {"since", "SinceTime"}}),
                .answers = page_of("Event")},
               [&](const ExchangePtr& exchange) { list_events(exchange, context); });
}

}  // namespace patchbay
