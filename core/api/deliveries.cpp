// GET /api/v1/deliveries, /{id}
#include <charconv>

#include "api/answers.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/visible.hpp"
#include "delivery/statements.hpp"

namespace patchbay {
namespace {

// Columns of PATCHBAY_JOB_COLUMNS.
enum Column : size_t {
    id,
    queue,
    lane,
    kind,
    ref,
    state,
    phase,
    attempt,
    max_attempts,
    run_at,
    valid_until,
    last_error,
    created_at
};

JsonArray attempts_json(Session& session, int64_t job_id) {
    JsonArray attempts = make_array();
    for (const Row& row : session.run(sql::attempt_list, {job_id})) {
        JsonObject json = make_object();
        json->set("attempt", row.number(0));
        json->set("started_at", time_json(row.number(1)));
        json->set("ms", json_or_null(row.maybe_number(5)));
        json->set("class", json_or_null(row.maybe_text(3)));
        json->set("http_status", json_or_null(row.maybe_number(4)));
        json->set("error", json_or_null(row.maybe_text(6)));
        attempts->add(json);
    }
    return attempts;
}

JsonObject delivery_json(Session& session, const Row& job) {
    JsonObject json = make_object();
    json->set("id", std::to_string(job.number(Column::id)));
    json->set("message_id", json_or_null(job.maybe_text(Column::ref)));
    json->set("channel", job.text(Column::queue));
    json->set("lane", json_or_null(job.maybe_text(Column::lane)));
    json->set("state", job.text(Column::state));
    json->set("phase", json_or_null(job.maybe_text(Column::phase)));
    json->set("attempt", job.number(Column::attempt));
    json->set("run_at", time_json(job.number(Column::run_at)));
    json->set("last_error", json_or_null(job.maybe_text(Column::last_error)));
    json->set("created_at", time_json(job.number(Column::created_at)));
    json->set("attempts", attempts_json(session, job.number(Column::id)));
    return json;
}

/// Jobs of other queues (flow steps, media) are no deliveries.
bool is_delivery(const Row& job) { return job.text(Column::kind) == "send"; }

/// A send belongs to its message's conversation, which is its lane.
bool may_see(Visible& visible, const Row& job) { return visible(job.text_or(Column::lane, "")); }

std::vector<Row> fetch(Session& session, const ListRequest& list, const Cursor& after,
                       int64_t count) {
    if (list.filter("state") == "dead") {
        return session.run(sql::job_list_dead, {after.number, count});
    }
    return session.run(sql::job_list, {after.number, count});
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "deliveries",
                           {"state", "channel", "lane", "since"});
    const JsonObject answer = context.store.read([&](Session& session) {
        Visible visible(session, exchange->caller);
        Scan<Row> scan;
        scan.fetch = [&](const Cursor& after, int64_t count) {
            return fetch(session, list, after, count);
        };
        scan.cursor_of = [](const Row& job) { return Cursor{job.number(Column::id), ""}; };
        scan.judge = [&](const Row& job) {
            if (job.number(Column::created_at) < list.since()) return Keep::stop;
            const bool wanted = is_delivery(job) && list.admits("state", job.text(Column::state)) &&
                                list.admits("channel", job.text(Column::queue)) &&
                                list.admits("lane", job.text_or(Column::lane, ""));
            return wanted && may_see(visible, job) ? Keep::yes : Keep::no;
        };
        const auto page = read_page(scan, list);
        JsonArray items = make_array();
        for (const Row& job : page.items) items->add(delivery_json(session, job));
        return list_json(items,
                         page.next ? std::optional(list.cursor_text(*page.next)) : std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    const std::string& text = exchange->params.at("id");
    int64_t wanted = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), wanted);
    const bool is_id = error == std::errc{} && rest == text.data() + text.size();
    const JsonObject answer = context.store.read([&](Session& session) {
        const auto job = is_id ? session.first(sql::job_get, {wanted}) : std::nullopt;
        Visible visible(session, exchange->caller);
        if (!job || !is_delivery(*job) || !may_see(visible, *job)) throw unknown_id("delivery");
        return delivery_json(session, *job);
    });
    answer_json(exchange, 200, answer);
}

}  // namespace

void add_delivery_routes(Router& router, ApiContext& context) {
    router.add({.name = "deliveries.list",
                .method = "GET",
                .path = "/api/v1/deliveries",
                .roles = roles::delivery_readers,
                .about = "Sends and what became of each try, newest first."},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "deliveries.get",
                .method = "GET",
                .path = "/api/v1/deliveries/{id}",
                .roles = roles::delivery_readers,
                .about = "One send."},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
}

}  // namespace patchbay
