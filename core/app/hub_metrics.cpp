// What /metrics asks of the parts when it is read; what is counted where it happens is beside that
// code.
#include "app/hub.hpp"

#include "base/log.hpp"
#include "delivery/statements.hpp"
#include "inbound/statements.hpp"

namespace patchbay {
namespace {

const Pulled build_info{Pulled::gauge, "patchbay_build_info", "Always 1.", {"version", "commit"}};
const Pulled ready{Pulled::gauge, "patchbay_ready", "1 while /health/ready says so."};
const Pulled connections{Pulled::gauge, "patchbay_http_connections", "Open connections.", {"kind"}};
const Pulled ingress_pending{Pulled::gauge,
                             "patchbay_ingress_pending",
                             "Webhooks that are stored and not routed yet; counted up to 100,000.",
                             {"instance"}};
const Pulled jobs{Pulled::gauge,
                  "patchbay_jobs",
                  "What is owed, by state, and what was given up (dead); counted up to 100,000.",
                  {"channel", "state"}};
const Pulled sends_total{Pulled::counter,
                         "patchbay_sends_total",
                         "Calls of a channel's send() by what they came to.",
                         {"channel", "outcome"}};
const Pulled lease_lost_total{Pulled::counter,
                              "patchbay_lease_lost_total",
                              "Jobs whose lease passed to someone else while they ran.",
                              {"channel"}};
const Pulled breaker_open{
    Pulled::gauge, "patchbay_breaker_open", "1: the channel fails, its sends wait.", {"channel"}};
const Pulled channel_paused{Pulled::gauge,
                            "patchbay_channel_paused",
                            "1: somebody has to resume it.",
                            {"channel", "reason"}};
const Pulled threads_lost{Pulled::gauge,
                          "patchbay_plugin_lost_threads",
                          "Threads that did not come back from the plugin.",
                          {"instance"}};
const Pulled plugin_state{Pulled::gauge,
                          "patchbay_plugin_state",
                          "1: the instance is in this state.",
                          {"instance", "state"}};
const Pulled old_copies{Pulled::gauge,
                        "patchbay_plugin_old_copies",
                        "Copies of earlier generations that are still in memory.",
                        {"instance", "state"}};
const Pulled generation{Pulled::counter,
                        "patchbay_plugin_generation",
                        "Generations that were begun, one with each start and reload.",
                        {"instance"}};
const Pulled config_revision{Pulled::gauge, "patchbay_config_revision",
                             "Of the configuration that runs."};
const Pulled spool_bytes{Pulled::gauge, "patchbay_spool_bytes",
                         "Accepted outside of the database; always 0 with SQLite, which has none."};

// The others last for as long as a change of the instance.
constexpr InstanceState lasting_states[] = {InstanceState::active, InstanceState::disabled,
                                            InstanceState::failed, InstanceState::restarting};
constexpr const char* job_states[] = {"waiting", "ready", "running", "unknown", "dead"};
constexpr const char* pause_reasons[] = {"auth_failed", "operator"};

void add_channel(Samples& samples, const Delivery::QueueState& queue) {
    for (const auto& [outcome, count] : queue.sends.sends)
        samples.add(sends_total, {queue.queue, outcome}, static_cast<int64_t>(count));
    samples.add(breaker_open, {queue.queue}, queue.breaker_open ? 1 : 0);
    // A reason is free text where an operator gave it.
    bool is_known = false;
    for (const std::string_view reason : pause_reasons) {
        const bool is_it = queue.paused == reason;
        is_known = is_known || is_it;
        samples.add(channel_paused, {queue.queue, reason}, is_it ? 1 : 0);
    }
    samples.add(channel_paused, {queue.queue, "other"}, queue.paused && !is_known ? 1 : 0);
}

}  // namespace

void Hub::collect_metrics(Samples& samples) {
    samples.add(build_info, {PATCHBAY_VERSION, PATCHBAY_COMMIT}, 1);
    samples.add(ready, {}, std::string_view(state_.load()) == "ready" ? 1 : 0);
    samples.add(spool_bytes, {}, 0);
    const ServerStats server = server_.stats();
    const size_t sockets = std::min(server.websockets, server.connections);
    samples.add(connections, {"http"}, static_cast<int64_t>(server.connections - sockets));
    samples.add(connections, {"websocket"}, static_cast<int64_t>(sockets));
    samples.add(config_revision, {}, reload_.revision());
    std::map<std::string, int64_t> lost;
    for (const InstanceInfo& instance : plugins_.list()) {
        lost[instance.instance] = instance.lost_threads;
        samples.add(ingress_pending, {instance.instance}, 0);
        for (const InstanceState state : lasting_states)
            samples.add(plugin_state, {instance.instance, word(state)}, instance.state == state);
        samples.add(generation, {instance.instance}, instance.generation);
        samples.add(old_copies, {instance.instance, "stuck"}, instance.stuck);
        samples.add(old_copies, {instance.instance, "resident"}, instance.resident);
    }
    for (const Delivery::QueueState& queue : delivery_.state()) {
        samples.add(lease_lost_total, {queue.queue},
                    static_cast<int64_t>(queue.counters.lease_lost));
        for (const char* state : job_states) samples.add(jobs, {queue.queue, state}, 0);
        if (!is_channel(queue.queue)) continue;
        lost[queue.queue] += static_cast<int64_t>(queue.counters.lost_workers);
        add_channel(samples, queue);
    }
    for (const auto& [instance, count] : lost) samples.add(threads_lost, {instance}, count);
    count_rows(samples);
}

// The rest is worth showing all the more while the database cannot be read.
void Hub::count_rows(Samples& samples) try {
    store_.read([&](Session& session) {
        for (const Row& row : session.run(sql::ingress_pending))
            samples.add(ingress_pending, {row.text(0)}, row.number(1));
        for (const Row& row : session.run(sql::job_counts))
            samples.add(jobs, {row.text(0), row.text(1)}, row.number(2));
        return 0;
    });
} catch (const StoreError& error) {
    log_warn("app", "rows could not be counted for metrics", {{"error", error.what()}});
}

}  // namespace patchbay
