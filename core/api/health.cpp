// GET /health/live, /health/ready
#include "api/answers.hpp"
#include "api/instances.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/statements.hpp"

namespace patchbay {
namespace {

void live(const ExchangePtr& exchange) {
    JsonObject json = make_object();
    json->set("status", "live");
    answer_json(exchange, 200, json);
}

/// A bad channel never makes the hub unready: its messages wait.
Readiness derived(const ApiContext& context) {
    Readiness out;
    std::string store = "up";
    try {
        context.store.read([&](Session& session) {
            for (const Row& row : session.run(sql::channel_state_all)) {
                if (!row.is_null(1)) out.degraded.push_back(row.text(0) + ": " + row.text(1));
            }
            return 0;
        });
    } catch (const StoreError&) {
        store = "down";
        out.status = "unready";
    }
    std::string plugins = "up";
    for (const auto& instance : list_instances(context)) {
        if (instance.state != "failed" && instance.state != "stuck") continue;
        plugins = "degraded";
        out.degraded.push_back(instance.info.instance + ": " + instance.state);
    }
    out.checks = {{"store", store}, {"plugins", plugins}};
    return out;
}

void ready(const ExchangePtr& exchange, ApiContext& context) {
    const Readiness readiness = context.readiness ? context.readiness() : derived(context);
    JsonObject checks = make_object();
    for (const auto& [name, state] : readiness.checks) checks->set(name, state);
    JsonObject json = make_object();
    json->set("status", readiness.status);
    json->set("degraded", json_texts(readiness.degraded));
    json->set("checks", checks);
    Response response = json_response(readiness.status == "ready" ? 200 : 503, json);
    if (response.status == 503) response.headers["retry-after"] = "1";
    exchange->answer(std::move(response));
}

}  // namespace

void add_health_routes(Router& router, ApiContext& context) {
    router.add({.name = "health.live",
                .method = "GET",
                .path = "/health/live",
                .runs_on = RunsOn::reactor,
                .roles = roles::everyone,
                .about = "The process answers.",
                .answers = {{.schema = "Live"}}},
               live);
    router.add({.name = "health.ready",
                .method = "GET",
                .path = "/health/ready",
                .runs_on = RunsOn::control,
                .roles = roles::everyone,
                .about = "The hub can take requests; a bad channel only shows as degraded.",
                .answers = {{.schema = "Readiness"}, {503, "Readiness"}}},
               [&](const ExchangePtr& exchange) { ready(exchange, context); });
}

}  // namespace patchbay
