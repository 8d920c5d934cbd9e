// patchbay failpoints
#include <ostream>

#include "app/table.hpp"
#include "app/verbs.hpp"
#include "base/failpoint.hpp"

namespace patchbay {
namespace {

int list(const Invocation& run) {
    std::vector<std::string> names;
    for (const Failpoint* point : Failpoint::all()) names.emplace_back(point->name());
    std::sort(names.begin(), names.end());
    if (!run.json()) {
        for (const auto& name : names) run.streams.out << name << '\n';
        return exit_code::done;
    }
    JsonArray json = make_array();
    for (const auto& name : names) json->add(name);
    print_json(run.streams.out, json);
    return exit_code::done;
}

}  // namespace

void add_failpoints_verb(CLI::App& app, Invocation& run) {
    app.add_subcommand("failpoints",
                       "Places where PATCHBAY_FAILPOINT=name:n ends the process at the n-th pass")
        ->callback([&run] { run.verb = [&run] { return list(run); }; });
}

}  // namespace patchbay
