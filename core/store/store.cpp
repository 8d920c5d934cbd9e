#include "store/store.hpp"

#include "base/log.hpp"
#include "store/backup.hpp"
#include "store/connection.hpp"
#include "store/database_file.hpp"
#include "store/migrate.hpp"
#include "store/outcome.hpp"
#include "store/readers.hpp"
#include "store/start_check.hpp"
#include "store/writer.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

// The writer's connection first: it makes the log, and repairs it after a crash.
std::unique_ptr<Connection> open_writer(const std::filesystem::path& file) {
    return std::make_unique<Connection>(file, Connection::Role::writer);
}

constexpr auto longest_start_check = 3s;

}  // namespace

struct Store::Impl {
    Impl(const StoreConfig& config, const Clock& clock_)
        : clock(clock_), file(require_database_file(config.url, config.base)), lock(file) {
        auto connection = open_writer(file);
        if (lock.last_stop_was_unclean()) start_check();
        writer.emplace(file, std::move(connection), config);
        readers.emplace(file, config.readers);
        if (check)
            check->report_to(
                [this](const StoreError& found) { writer->refuse_from_now_on(found); });
    }

    ~Impl() {
        // A callback of the last writes may still read. The last checkpoint needs the readers gone.
        writer->stop();
        const bool is_sound = !writer->is_damaged() && (!check || check->has_passed());
        check.reset();
        readers.reset();
        writer.reset();
        if (is_sound) lock.mark_clean();
    }

    void start_check() {
        log_info("store", "the last stop was unclean, checking the database",
                 {{"file", file.string()}});
        check.emplace(file);
        if (!check->wait_for(longest_start_check))
            log_warn("store", "the check takes longer and goes on while the server starts");
    }

    const Clock& clock;
    std::filesystem::path file;
    ServerLock lock;
    std::optional<Writer> writer;
    std::optional<Readers> readers;
    std::optional<StartCheck> check;  ///< Last: it reports to the writer.
};

Store::Store(const StoreConfig& config, const Clock& clock)
    : impl_(std::make_unique<Impl>(config, clock)) {}

Store::~Store() = default;

const Clock& Store::clock() const { return impl_->clock; }

void Store::on_noted(std::function<void(Transaction&, const Changes&)> follower) {
    impl_->writer->on_noted(std::move(follower));
}

void Store::on_changes(std::function<void(Changes&&)> listener) {
    impl_->writer->on_changes(std::move(listener));
}

size_t Store::queued() const { return impl_->writer->queued(); }

uint64_t Store::commits() const { return impl_->writer->commits(); }

bool Store::full() const { return impl_->writer->full(); }

std::filesystem::path Store::file() const { return impl_->file; }

void Store::write_async(Work work, Done done, Urgency urgency) {
    impl_->writer->add({std::move(work), std::move(done), urgency});
}

void Store::run_async(const Statement& statement, Values parameters, Done done, Urgency urgency) {
    impl_->writer->add(
        {QueuedWrite::OneStatement{&statement, std::move(parameters)}, std::move(done), urgency});
}

void Store::write_and_wait(const Work& work, Urgency urgency) {
    if (impl_->writer->is_this_thread()) throw std::logic_error("a write within a write");
    Outcome outcome;
    impl_->writer->add(
        {work, [&outcome](std::exception_ptr error) { outcome.set(std::move(error)); }, urgency});
    outcome.get();
}

void Store::with_reader(const std::function<void(Session&)>& work) try {
    impl_->readers->run(work);
} catch (const StoreError& error) {
    if (error.kind == StoreError::Kind::corrupt) impl_->writer->refuse_from_now_on(error);
    throw;
}

void Store::empty_log() { impl_->writer->empty_log(); }

void Store::backup(const std::filesystem::path& copy) { make_backup(impl_->file, copy); }

void Store::migrate(const std::string& component, const std::vector<Migration>& migrations,
                    const std::function<void(const std::string&)>& progress) {
    run_migrations(*this, component, migrations, progress);
}

TableScope Store::migrate_plugin(const std::string& plugin,
                                 const std::vector<Migration>& migrations) {
    return run_plugin_migrations(*this, plugin, migrations);
}

}  // namespace patchbay
