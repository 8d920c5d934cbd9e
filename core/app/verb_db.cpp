// patchbay db migrate
#include <ostream>

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

}  // namespace

void add_db_verbs(CLI::App& app, Invocation& run) {
    CLI::App* db = app.add_subcommand("db", "The database");
    db->require_subcommand(1);
    db->add_subcommand("migrate", "Run the migrations that are missing")->callback([&run] {
        run.verb = [&run] { return migrate(run); };
    });
}

}  // namespace patchbay
