// GET /api/v1/jobs/{id}, /{id}/result; POST .../stop
#include "api/jobs.hpp"

#include "api/idempotency.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "delivery/bulk.hpp"
#include "inbound/replay.hpp"

namespace patchbay {
namespace {

/// Owner and admin see all; others the bulk sends they asked for.
TaskView require_job(Session& session, const Caller& caller, const std::string& id) {
    auto task = find_task(session, id);
    const bool sees_all =
        caller.role == "owner" || caller.role == "admin" || caller.kind == "local";
    const bool is_own =
        task && task->kind == "bulk" && task->actor == caller.kind + ":" + caller.id;
    if (!task || (!sees_all && !is_own)) throw unknown_id("job");
    return std::move(*task);
}

JsonObject result_json(const BulkResult& result) {
    JsonObject error;
    if (result.error_code || result.error_reason) {
        error = make_object();
        error->set("code", json_or_null(result.error_code));
        error->set("reason", json_or_null(result.error_reason));
    }
    JsonObject json = make_object();
    json->set("to", result.to);
    json->set("message_id", json_or_null(result.message_id));
    json->set("provider_id", json_or_null(result.provider_id));
    json->set("status", result.status);
    json->set("error", error ? JsonValue(error) : json_null());
    return json;
}

/// Cursors count places, from 0.
void add_results(Session& session, const TaskView& task, const ListRequest& list, JsonObject json) {
    const int64_t start = list.start().number == INT64_MAX ? 0 : list.start().number;
    JsonArray results = make_array();
    for (const BulkResult& one :
         bulk_results(session, task, static_cast<size_t>(start), list.limit())) {
        results->add(result_json(one));
    }
    const int64_t next = start + static_cast<int64_t>(results->size());
    json->set("results", results);
    if (next < task.total) json->set("next", list.cursor_text({next, ""}));
}

/// Where an export is fetched, for as long as it is kept.
JsonArray export_json(const TaskView& task) {
    JsonArray results = make_array();
    if (!task.result_until) return results;
    JsonObject json = make_object();
    json->set("url", "/api/v1/jobs/" + task.id + "/result");
    json->set("bytes", task.result_bytes);
    json->set("expires_at", time_json(*task.result_until));
    results->add(json);
    return results;
}

void get_result(const ExchangePtr& exchange, ApiContext& context) {
    const auto result = context.store.read([&](Session& session) {
        const auto task = require_job(session, exchange->caller, exchange->params.at("id"));
        return task_result(session, task.id);
    });
    if (!result) throw unknown_id("result");
    Response response;
    response.status = 200;
    response.body = *result;
    response.headers["content-type"] = "application/json";
    response.headers["content-disposition"] = "attachment; filename=\"contact.json\"";
    exchange->answer(std::move(response));
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "job_results");
    if (list.start().number < 0) throw Problem("invalid_cursor", "The cursor is not one of ours.");
    answer_json(exchange, 200, context.store.read([&](Session& session) {
        const auto task = require_job(session, exchange->caller, exchange->params.at("id"));
        JsonObject json = job_json(session, task);
        if (task.kind == "bulk") add_results(session, task, list, json);
        if (task.kind == "export") json->set("results", export_json(task));
        return json;
    }));
}

void stop(const ExchangePtr& exchange, ApiContext& context) {
    answer_once(
        exchange, context,
        [&context, caller = exchange->caller, id = exchange->params.at("id")](Transaction& tx) {
            const auto task = require_job(tx, caller, id);
            if (task.kind == "bulk") stop_bulk(tx, context.ids(), task, context.now());
            if (task.kind == "replay") stop_replay(tx, task.id, context.now());
            return json_response(200, job_json(tx, find_task(tx, task.id).value()));
        },
        [&context] { context.wake(task_queue); });
}

}  // namespace

JsonObject job_json(Session& session, const TaskView& task) {
    BulkCounts counts{task.status, 0, task.successful, task.failed, task.finished_at};
    if (task.kind == "bulk") counts = count_bulk(session, task);
    if (task.kind == "replay") counts.queued = left_to_replay(task);
    JsonObject json = make_object();
    json->set("id", task.id);
    json->set("kind", task.kind);
    json->set("status", counts.status);
    json->set("total", task.total);
    json->set("queued", counts.queued);
    json->set("successful", counts.successful);
    json->set("failed", counts.failed);
    json->set("duplicates", task.duplicates);
    json->set("started_at", time_json(task.created_at));
    json->set("finished_at", time_json(counts.finished_at));
    json->set("results", make_array());
    json->set("next", json_null());
    return json;
}

Response job_response(Transaction& tx, const std::string& id) {
    JsonObject json = make_object();
    json->set("job", job_json(tx, find_task(tx, id).value()));
    Response response = json_response(202, json);
    response.headers["location"] = "/api/v1/jobs/" + id;
    return response;
}

void add_job_routes(Router& router, ApiContext& context) {
    router.add({.name = "jobs.get",
                .method = "GET",
                .path = "/api/v1/jobs/{id}",
                .roles = roles::bulk_senders,
                .about = "What became of a bulk send, a replay, an export or an erasure; the "
                         "results of a bulk send in the order given.",
                .query = list_query(),
                .answers = {{.schema = "Job"}}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
    router.add({.name = "jobs.result",
                .method = "GET",
                .path = "/api/v1/jobs/{id}/result",
                .roles = roles::admins,
                .about = "What an export came to, for 24 hours.",
                .answers = {{.schema = "AnyObject"}}},
               [&](const ExchangePtr& exchange) { get_result(exchange, context); });
    router.add({.name = "jobs.stop",
                .method = "POST",
                .path = "/api/v1/jobs/{id}/stop",
                .body = BodyKind::none,
                .roles = roles::bulk_senders,
                .about = "Calls off what a bulk send has not handed to the provider, or a replay "
                         "to the plugin.",
                .answers = {{.schema = "Job"}}},
               [&](const ExchangePtr& exchange) { stop(exchange, context); });
}

}  // namespace patchbay
