#include "store/readers.hpp"

#include <chrono>

namespace patchbay {
namespace {

using namespace std::chrono_literals;
constexpr auto longest_wait = 10s;

// Two reads within each other on every thread would use up the pool and wait for each other.
thread_local bool is_reading = false;

class ReadSession final : public Session {
public:
    explicit ReadSession(Connection& connection) : connection_(connection) {}
    Rows run(const Statement& statement, const Values& parameters) override {
        return connection_.run(statement, parameters);
    }
    Rows run_text(const std::string& sql, const Values& parameters) override {
        return connection_.run_text(sql, parameters);
    }
    ScopedResult run_within(const TableScope& scope, const std::string& sql,
                            const Values& parameters) override {
        return connection_.run_within(scope, sql, parameters);
    }
    bool changes_within(const TableScope& scope, const std::string& sql) override {
        return connection_.changes_within(scope, sql);
    }

private:
    Connection& connection_;
};

}  // namespace

class Readers::Lease {
public:
    explicit Lease(Readers& readers) : readers_(readers) {
        if (is_reading) throw std::logic_error("a read within a read");
        std::unique_lock lock(readers_.mutex_);
        if (!readers_.returned_.wait_for(lock, longest_wait,
                                         [&] { return !readers_.idle_.empty(); }))
            throw StoreError(StoreError::Kind::unavailable, "every read connection is busy");
        connection_ = std::move(readers_.idle_.back());
        readers_.idle_.pop_back();
        is_reading = true;
    }
    ~Lease() {
        is_reading = false;
        if (connection_) {
            connection_->roll_back();
            if (connection_->is_suspect()) connection_.reset();
        }
        {
            const std::lock_guard lock(readers_.mutex_);
            readers_.idle_.push_back(std::move(connection_));
        }
        readers_.returned_.notify_one();
    }
    Connection& connection() {
        if (!connection_)
            connection_ = std::make_unique<Connection>(readers_.file_, Connection::Role::reader);
        return *connection_;
    }

private:
    Readers& readers_;
    std::unique_ptr<Connection> connection_;
};

Readers::Readers(std::filesystem::path file, unsigned count) : file_(std::move(file)) {
    for (unsigned i = 0; i < std::max(count, 1U); ++i)
        idle_.push_back(std::make_unique<Connection>(file_, Connection::Role::reader));
}

void Readers::run(const std::function<void(Session&)>& work) {
    Lease lease(*this);
    Connection& connection = lease.connection();
    connection.begin_read();
    ReadSession session(connection);
    work(session);
    connection.commit();
}

}  // namespace patchbay
