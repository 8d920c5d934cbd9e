#include "store/store.hpp"

#include <condition_variable>
#include <mutex>

#include "base/log.hpp"
#include "store/connection.hpp"
#include "store/database_file.hpp"
#include "store/migrate.hpp"
#include "store/readers.hpp"
#include "store/writer.hpp"

namespace patchbay {
namespace {

// Waits for one write.
class Outcome {
public:
    void set(std::exception_ptr error) {
        // Told under the lock: the waiting thread ends this object as soon as it holds it.
        const std::lock_guard lock(mutex_);
        error_ = std::move(error);
        is_set_ = true;
        changed_.notify_one();
    }
    void get() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return is_set_; });
        if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_set_ = false;
    std::exception_ptr error_;
};

std::unique_ptr<Connection> open_writer(const std::filesystem::path& file, const ServerLock& lock) {
    auto connection = std::make_unique<Connection>(file, Connection::Role::writer);
    if (lock.last_stop_was_unclean()) {
        log_info("store", "the last stop was unclean, checking the database",
                 {{"file", file.string()}});
        connection->quick_check();
    }
    return connection;
}

}  // namespace

struct Store::Impl {
    Impl(const StoreConfig& config, const Clock& clock_)
        : clock(clock_),
          file(require_database_file(config.url, config.base)),
          lock(file),
          writer(std::in_place, file, open_writer(file, lock), config),
          readers(std::in_place, file, config.readers) {}
    ~Impl() {
        // A callback of the last writes may still read. The last checkpoint needs the readers gone.
        writer->stop();
        readers.reset();
        const bool is_damaged = writer->is_damaged();
        writer.reset();
        if (!is_damaged) lock.mark_clean();
    }

    const Clock& clock;
    std::filesystem::path file;
    ServerLock lock;
    std::optional<Writer> writer;
    std::optional<Readers> readers;
};

Store::Store(const StoreConfig& config, const Clock& clock)
    : impl_(std::make_unique<Impl>(config, clock)) {}

Store::~Store() = default;

const Clock& Store::clock() const { return impl_->clock; }

size_t Store::queued() const { return impl_->writer->queued(); }

uint64_t Store::commits() const { return impl_->writer->commits(); }

bool Store::full() const { return impl_->writer->full(); }

std::filesystem::path Store::file() const { return impl_->file; }

void Store::write_async(Work work, Done done, Urgency urgency) {
    impl_->writer->add(std::move(work), std::move(done), urgency);
}

void Store::write_and_wait(const Work& work, Urgency urgency) {
    if (impl_->writer->is_this_thread()) throw std::logic_error("a write within a write");
    Outcome outcome;
    impl_->writer->add(
        work, [&outcome](std::exception_ptr error) { outcome.set(std::move(error)); }, urgency);
    outcome.get();
}

void Store::with_reader(const std::function<void(Session&)>& work) try {
    impl_->readers->run(work);
} catch (const StoreError& error) {
    if (error.kind == StoreError::Kind::corrupt) impl_->writer->refuse_from_now_on(error);
    throw;
}

void Store::migrate(const std::string& component, const std::vector<Migration>& migrations,
                    const std::function<void(const std::string&)>& progress) {
    run_migrations(*this, component, migrations, progress);
}

}  // namespace patchbay
