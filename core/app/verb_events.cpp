// patchbay events list
#include <ostream>

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

}  // namespace

void add_events_verbs(CLI::App& app, Invocation& run) {
    CLI::App* events = app.add_subcommand("events", "What came in");
    events->require_subcommand(1);
    CLI::App* verb =
        events->add_subcommand("list", "Webhooks and what became of them, newest first");
    const auto options = std::make_shared<ListOptions>();
    options->add_to(*verb, "received, routed, ignored or dead");
    verb->callback([&run, options] { run.verb = [&run, options] { return list(run, *options); }; });
}

}  // namespace patchbay
