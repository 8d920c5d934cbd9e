// patchbay db migrate | audit
#include <ostream>

#include "app/hub_link.hpp"
#include "app/table.hpp"
#include "app/verbs.hpp"
#include "store/migrations.hpp"

namespace patchbay {
namespace {

int migrate(const Invocation& run) {
    const HubConfig config = run.config();
    const SystemClock clock;
    Store store({.url = config.store.url, .base = config.base}, clock);
    store.migrate("core", core_migrations(),
                  [&](const std::string& line) { run.streams.out << line << '\n'; });
    run.streams.out << "the schema is up to date\n";
    return exit_code::done;
}

int check_chain(const Invocation& run) {
    const JsonObject check = open_hub(run.config())->get("/api/v1/audit/check");
    const auto problem = text_at(check, "problem");
    if (run.json()) {
        print_json(run.streams.out, check);
    } else if (problem) {
        run.streams.err << *problem << '\n';
    } else {
        run.streams.out << text_at(check, "rows").value_or("") << " records, the last is "
                        << text_at(check, "seq").value_or("") << ' '
                        << text_at(check, "hash").value_or("") << '\n';
    }
    return problem ? exit_code::failed : exit_code::done;
}

}  // namespace

void add_db_verbs(CLI::App& app, Invocation& run) {
    CLI::App* db = app.add_subcommand("db", "The database");
    db->require_subcommand(1);
    db->add_subcommand("migrate", "Run the migrations that are missing")->callback([&run] {
        run.verb = [&run] { return migrate(run); };
    });
    db->add_subcommand("audit", "Check that no audit record was changed or taken out")
        ->callback([&run] { run.verb = [&run] { return check_chain(run); }; });
}

}  // namespace patchbay
