// patchbay deliveries list
#include <ostream>

#include "app/hub_link.hpp"
#include "app/list_options.hpp"
#include "app/table.hpp"
#include "app/verbs.hpp"

namespace patchbay {
namespace {

int list(const Invocation& run, const ListOptions& options) {
    const JsonObject deliveries =
        open_hub(run.config())
            ->get("/api/v1/deliveries" + query_text({{"since", options.since_time()},
                                                     {"state", options.state},
                                                     {"channel", options.channel},
                                                     {"limit", options.limit}}));
    if (run.json()) {
        print_json(run.streams.out, deliveries);
        return exit_code::done;
    }
    Table table({"TIME", "INSTANCE", "KIND", "STATE", "ATTEMPT", "MESSAGE", "REASON"});
    for (const auto& delivery : *deliveries->getArray("items")) {
        const auto text = [&](const char* key) { return text_at(delivery, key).value_or(""); };
        table.add({text("created_at"), text("channel"), "send", text("state"), text("attempt"),
                   text("message_id"), text("last_error")});
    }
    table.print(run.streams.out);
    return exit_code::done;
}

}  // namespace

void add_deliveries_verbs(CLI::App& app, Invocation& run) {
    CLI::App* deliveries = app.add_subcommand("deliveries", "What goes out");
    deliveries->require_subcommand(1);
    CLI::App* verb = deliveries->add_subcommand("list", "Sends and where they stand, newest first");
    const auto options = std::make_shared<ListOptions>();
    options->add_to(*verb, "waiting, ready, running, unknown, done, dead or cancelled");
    verb->callback([&run, options] { run.verb = [&run, options] { return list(run, *options); }; });
}

}  // namespace patchbay
