// GET /api/v1/templates
#include "api/answers.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

JsonValue fields_json(const std::string& stored) {
    try {
        return parse_json(stored);
    } catch (const JsonError&) {
        return make_array();
    }
}

JsonObject template_json(const Row& row) {
    JsonObject json = make_object();
    json->set("id", row.text(0));
    json->set("name", row.text(1));
    json->set("language", row.text(2));
    json->set("channel", row.text(3).empty() ? json_null() : JsonValue(row.text(3)));
    json->set("kind", row.text(4));
    json->set("department", json_or_null(row.maybe_text(5)));
    json->set("body", row.text(6));
    json->set("fields", fields_json(row.text(7)));
    json->set("provider_id", json_or_null(row.maybe_text(8)));
    json->set("category", json_or_null(row.maybe_text(9)));
    json->set("approval", row.text(10));
    json->set("created_at", time_json(row.number(11)));
    json->set("updated_at", time_json(row.number(12)));
    return json;
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "templates");
    const JsonObject answer = context.store.read([&](Session& session) {
        Scan<Row> scan;
        scan.fetch = [&](const Cursor& after, int64_t count) {
            return session.run(sql::template_list, {after.text, count});
        };
        scan.cursor_of = [](const Row& row) { return Cursor{0, row.text(0)}; };
        scan.judge = [&](const Row& row) {
            // One without a channel fits all of them.
            const bool fits = row.text(3).empty() || list.admits("channel", row.text(3));
            return fits && list.admits("name", row.text(1)) ? Keep::yes : Keep::no;
        };
        const auto page = read_page(scan, list);
        JsonArray items = make_array();
        for (const Row& row : page.items) items->add(template_json(row));
        return list_json(items,
                         page.next ? std::optional(list.cursor_text(*page.next)) : std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

}  // namespace

void add_template_routes(Router& router, ApiContext& context) {
    router.add({.name = "templates.list",
                .method = "GET",
                .path = "/api/v1/templates",
                .roles = roles::config_readers,
                .about = "Message templates that are not retired, newest first.",
                .query = list_query({{"channel"}, {"name"}}),
                .answers = page_of("Template")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
}

}  // namespace patchbay
