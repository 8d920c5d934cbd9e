// GET /api/v1/deliveries, /{id}; POST /{id}/retry, /{id}/cancel
#include <charconv>

#include "api/answers.hpp"
#include "api/deliveries.hpp"
#include "api/idempotency.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/send_refusal.hpp"
#include "delivery/interventions.hpp"
#include "delivery/sight_statements.hpp"
#include "messaging/sight.hpp"

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

bool are_dead(const ListRequest& list) { return list.filter("state") == "dead"; }

std::optional<Cursor> window_of(Session& session, const ListRequest& list, const Cursor& after,
                                int64_t count) {
    const Statement& window = are_dead(list) ? sql::job_window_dead : sql::job_window;
    const auto row = session.first(window, {after.number, count - 1});
    return row ? std::optional(Cursor{row->number(0), ""}) : std::nullopt;
}

std::vector<Row> fetch(Session& session, const Sight& sight, const ListRequest& list,
                       const Cursor& after, const std::optional<Cursor>& last) {
    const Statement& seen = are_dead(list) ? sql::job_seen_dead : sql::job_seen_all;
    return session.run(seen, sight_values(sight, {after.number, last ? last->number : 0}));
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "deliveries");
    const JsonObject answer = context.store.read([&](Session& session) {
        const Sight sight = sight_of(exchange->caller);
        SeenScan<Row> scan;
        scan.window = [&](const Cursor& after, int64_t count) {
            return window_of(session, list, after, count);
        };
        scan.fetch = [&](const Cursor& after, const std::optional<Cursor>& last) {
            return fetch(session, sight, list, after, last);
        };
        scan.cursor_of = [](const Row& job) { return Cursor{job.number(Column::id), ""}; };
        scan.judge = [&](const Row& job) {
            if (job.number(Column::created_at) < list.since()) return Keep::stop;
            const bool wanted = is_delivery(job) && list.admits("state", job.text(Column::state)) &&
                                list.admits("channel", job.text(Column::queue)) &&
                                list.admits("lane", job.text_or(Column::lane, ""));
            return wanted ? Keep::yes : Keep::no;
        };
        const auto page = read_page(scan, list);
        JsonArray items = make_array();
        for (const Row& job : page.items) items->add(delivery_json(session, job));
        return list_json(items,
                         page.next ? std::optional(list.cursor_text(*page.next)) : std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

/// 0 for a text that is no id; nothing has it.
int64_t id_of(const std::string& text) {
    int64_t wanted = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), wanted);
    return error == std::errc{} && rest == text.data() + text.size() ? wanted : 0;
}

/// Throws Problem unknown_id, also for what the caller may not see (S69).
Row require_delivery(Session& session, const Caller& caller, const std::string& id_text) {
    const auto job = session.first(sql::job_seen, sight_values(sight_of(caller), {id_of(id_text)}));
    if (!job || !is_delivery(*job)) throw unknown_id("delivery");
    return *job;
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    const JsonObject answer = context.store.read([&](Session& session) {
        return delivery_json(
            session, require_delivery(session, exchange->caller, exchange->params.at("id")));
    });
    answer_json(exchange, 200, answer);
}

void require_done(Intervention result) {
    switch (result) {
        case Intervention::done:
            return;
        case Intervention::not_found:
            throw unknown_id("delivery");
        case Intervention::running:
            throw Problem("delivery_running", "A try is under way, or its outcome is not known.");
        case Intervention::finished:
            throw Problem("delivery_finished", "The delivery has ended.");
    }
}

/// What was done: the delivery to show, and the queue to wake.
struct Intervened {
    int64_t job_id = 0;
    std::string queue;
};
using Intervene = std::function<Intervened(Transaction& tx, int64_t job_id)>;

void intervene(const ExchangePtr& exchange, ApiContext& context, Intervene work) {
    const auto queue = std::make_shared<std::string>();
    answer_once(
        exchange, context,
        [caller = exchange->caller, id = exchange->params.at("id"), queue,
         work = std::move(work)](Transaction& tx) {
            const Row job = require_delivery(tx, caller, id);
            const Intervened done = work(tx, job.number(Column::id));
            *queue = done.queue;
            return json_response(200, delivery_json(tx, *tx.first(sql::job_get, {done.job_id})));
        },
        [&context, queue] { context.wake(*queue); });
}

/// A failed message gets a second one: the answer is the delivery that goes on.
void retry(const ExchangePtr& exchange, ApiContext& context) {
    intervene(exchange, context, [&context](Transaction& tx, int64_t job_id) -> Intervened {
        try {
            const Retried retried = retry_delivery(tx, context.mint, job_id, context.now());
            require_done(retried.result);
            return {retried.job_id, retried.queue};
        } catch (const SendRefused& refused) {
            rethrow_refusal(refused);
        }
    });
}

void cancel(const ExchangePtr& exchange, ApiContext& context) {
    intervene(exchange, context, [&context](Transaction& tx, int64_t job_id) -> Intervened {
        const Cancelled cancelled = cancel_delivery(tx, job_id, context.now());
        require_done(cancelled.result);
        return {job_id, cancelled.queue};
    });
}

}  // namespace

std::optional<ShownDelivery> find_delivery(Session& session, const std::string& id) {
    const auto job = session.first(sql::job_get, {id_of(id)});
    if (!job || !is_delivery(*job)) return std::nullopt;
    return ShownDelivery{job->text_or(Column::lane, ""), delivery_json(session, *job)};
}

void add_delivery_routes(Router& router, ApiContext& context) {
    router.add({.name = "deliveries.list",
                .method = "GET",
                .path = "/api/v1/deliveries",
                .roles = roles::delivery_readers,
                .about = "Sends and what became of each try, newest first.",
                .query = list_query(
                    {{"state", "DeliveryState"}, {"channel"}, {"lane"}, {"since", "SinceTime"}}),
                .answers = page_of("Delivery")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "deliveries.get",
                .method = "GET",
                .path = "/api/v1/deliveries/{id}",
                .roles = roles::delivery_readers,
                .about = "One send.",
                .answers = {{.schema = "Delivery"}}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
    router.add({.name = "deliveries.retry",
                .method = "POST",
                .path = "/api/v1/deliveries/{id}/retry",
                .body = BodyKind::none,
                .roles = roles::delivery_writers,
                .about = "Tries again now; a failed message is sent as a new one.",
                .answers = {{.schema = "Delivery"}},
                .problems = send_problems({"delivery_running", "delivery_finished"})},
               [&](const ExchangePtr& exchange) { retry(exchange, context); });
    router.add({.name = "deliveries.cancel",
                .method = "POST",
                .path = "/api/v1/deliveries/{id}/cancel",
                .body = BodyKind::none,
                .roles = roles::delivery_writers,
                .about = "Calls off what has not left.",
                .answers = {{.schema = "Delivery"}},
                .problems = {"delivery_running", "delivery_finished"}},
               [&](const ExchangePtr& exchange) { cancel(exchange, context); });
}

}  // namespace patchbay
