// patchbay events list | replay
#include <ostream>
#include <thread>

#include "app/hub_link.hpp"
#include "app/list_options.hpp"
#include "app/table.hpp"
#include "app/verbs.hpp"

namespace patchbay {
namespace {

/// What became of a webhook, or where it came in when nothing has yet.
std::string kind_of(const JsonValue& webhook) {
    std::string kinds;
    const JsonValue events = value_at(webhook, "events");
    if (events.type() == typeid(JsonArray)) {
        for (const auto& event : *events.extract<JsonArray>()) {
            kinds += (kinds.empty() ? "" : ", ") + text_at(event, "type").value_or("");
        }
    }
    return kinds.empty() ? text_at(webhook, "route").value_or("") : kinds;
}

int list(const Invocation& run, const ListOptions& options) {
    const JsonObject webhooks =
        open_hub(run.config())
            ->get("/api/v1/ingress" + query_text({{"since", options.since_time()},
                                                  {"state", options.state},
                                                  {"instance", options.channel},
                                                  {"limit", options.limit}}));
    if (run.json()) {
        print_json(run.streams.out, webhooks);
        return exit_code::done;
    }
    Table table({"TIME", "INSTANCE", "KIND", "STATE", "REASON"});
    for (const auto& webhook : *webhooks->getArray("items")) {
        const auto text = [&](const char* key) { return text_at(webhook, key).value_or(""); };
        table.add({text("received_at"), text("instance"), kind_of(webhook), text("state"),
                   text("reason")});
    }
    table.print(run.streams.out);
    return exit_code::done;
}

struct ReplayOptions {
    std::vector<std::string> ids;
    std::string instance, since, until, resume, stop;
    bool force = false, background = false;
};

JsonObject request_of(const ReplayOptions& options) {
    JsonObject request = make_object();
    const auto text = [&](const char* name, const std::string& value) {
        if (!value.empty()) request->set(name, value);
    };
    if (!options.ids.empty()) {
        JsonArray ids = make_array();
        for (const std::string& id : options.ids) ids->add(id);
        request->set("ids", ids);
    }
    text("instance", options.instance);
    text("since", ListOptions{.since = options.since}.since_time());
    text("until", ListOptions{.since = options.until}.since_time());
    text("resume", options.resume);
    if (options.force) request->set("force", true);
    return request;
}

void print_progress(std::ostream& out, const JsonValue& job) {
    const auto count = [&](const char* key) { return int_at(job, key).value_or(0); };
    const int64_t total = count("total");
    out << total - count("queued") << " of " << total << " replayed, " << count("successful")
        << " with new effects, " << count("duplicates") << " without, " << count("failed")
        << " failed\n";
}

/// One line for each time that it has got on, until it ends. Whoever looks away does not end it.
JsonObject watch(const Invocation& run, HubLink& hub, const std::string& id) {
    constexpr std::chrono::milliseconds pause{500};
    int64_t told = -1;
    for (;;) {
        const JsonObject job = hub.get("/api/v1/jobs/" + id);
        const int64_t queued = int_at(job, "queued").value_or(0);
        if (!run.json() && std::exchange(told, queued) != queued) {
            print_progress(run.streams.out, job);
        }
        if (text_at(job, "status") != "running") return job;
        std::this_thread::sleep_for(pause);
    }
}

int replay(const Invocation& run, const ReplayOptions& options) {
    const auto hub = open_hub(run.config());
    if (!hub->server_runs()) {
        throw VerbFailure(exit_code::unavailable, "a replay is the server's work, and none runs");
    }
    JsonObject job;
    if (!options.stop.empty()) {
        job = hub->post("/api/v1/jobs/" + options.stop + "/stop", make_object());
    } else {
        const JsonObject begun = hub->post("/api/v1/ingress/replay", request_of(options));
        job = begun->getObject("job");
        const std::string id = text_at(job, "id").value_or("");
        if (!run.json()) run.streams.out << "job " << id << "\n";
        if (!options.background) job = watch(run, *hub, id);
    }
    if (run.json()) {
        print_json(run.streams.out, job);
    } else {
        run.streams.out << text_at(job, "status").value_or("") << "\n";
    }
    return exit_code::done;
}

void add_replay_verb(CLI::App& events, Invocation& run) {
    CLI::App* verb = events.add_subcommand(
        "replay", "Take kept webhooks to their plugin once more; what had its effects has none");
    const auto options = std::make_shared<ReplayOptions>();
    verb->add_option("id", options->ids, "Webhooks, as `events list --output json` names them");
    verb->add_option("--instance", options->instance, "All that came to this instance");
    verb->add_option("--since", options->since, "From this time on: 2h, or 2026-11-20T10:15:30Z");
    verb->add_option("--until", options->until, "Before this time; now when it is not given");
    verb->add_flag("--force", options->force,
                   "Have the effects once more, each marked: customers may be answered twice");
    verb->add_flag("--background", options->background, "Do not wait for the end");
    verb->add_option("--resume", options->resume, "Go on with this stopped job");
    verb->add_option("--stop", options->stop, "Stop this job; what is left can be resumed");
    verb->callback(
        [&run, options] { run.verb = [&run, options] { return replay(run, *options); }; });
}

}  // namespace

void add_events_verbs(CLI::App& app, Invocation& run) {
    CLI::App* events = app.add_subcommand("events", "What came in");
    events->require_subcommand(1);
    CLI::App* verb =
        events->add_subcommand("list", "Webhooks and what became of them, newest first");
    const auto options = std::make_shared<ListOptions>();
    options->add_to(*verb, "received, routed, ignored or dead");
    verb->callback([&run, options] { run.verb = [&run, options] { return list(run, *options); }; });
    add_replay_verb(*events, run);
}

}  // namespace patchbay
