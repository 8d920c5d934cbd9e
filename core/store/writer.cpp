#include "store/writer.hpp"

#include <pthread.h>

#include "base/failpoint.hpp"
#include "base/log.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

// Of the time of a group that has both, the background gets a third, and one write at least.
constexpr int others_to_background = 2;
constexpr size_t long_log_bytes = 8 << 20;
constexpr size_t very_long_log_bytes = 64 << 20;
constexpr auto space_interval = 1s;

const Family<Histogram> commit_seconds{"patchbay_store_commit_seconds",
                                       "COMMIT of a group of writes, the flush included.",
                                       {"engine"}};

const Failpoint before_commit{"store.before_commit"};
const Failpoint after_commit{"store.after_commit"};

class WriteTransaction final : public Transaction {
public:
    explicit WriteTransaction(Connection& connection) : connection_(connection) {}
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
    void run_script(const std::string& sql) override { connection_.run_script(sql); }
    void run_script_within(const TableScope& scope, const std::string& sql) override {
        connection_.run_script_within(scope, sql);
    }
    size_t change(const Statement& statement, const Values& parameters) override {
        return connection_.change(statement, parameters);
    }
    Changes take_changes() { return std::move(changes_); }
    std::vector<Counter*> take_counts() { return std::move(counts_); }

private:
    Connection& connection_;
};

const StoreError disk_is_full(StoreError::Kind::full, "the disk is full");

}  // namespace

Writer::Writer(std::filesystem::path file, std::unique_ptr<Connection> connection,
               const StoreConfig& config)
    : file_(std::move(file)),
      ballast_(file_, config.ballast_bytes),
      connection_(std::move(connection)),
      checkpoint_at_(long_log_bytes),
      queue_(config.max_queued) {
    if (!ballast_.restore()) log_warn("store", "no room for the ballast file");
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "store-writer");
}

Writer::~Writer() {
    stop();
    if (!is_damaged()) checkpoint(true);
}

void Writer::stop() {
    queue_.close();
    if (thread_.joinable()) thread_.join();
}

void Writer::refuse_from_now_on(const StoreError& damage) {
    const std::lock_guard lock(damage_mutex_);
    if (!damage_) damage_ = damage;
}

std::optional<StoreError> Writer::damage() const {
    const std::lock_guard lock(damage_mutex_);
    return damage_;
}

void Writer::run() {
    for (;;) {
        std::optional<Group> group = take();
        if (!group && !full()) return;
        if (full()) look_for_space();
        if (group) write(std::move(*group));
    }
}

// nullopt: it is time to stop or, on a full disk, to look for space.
std::optional<Writer::Group> Writer::take() {
    // What is refused anyway need not wait for its turn.
    const bool refuses = full() || is_damaged();
    auto group = queue_.take(
        refuses ? WriteQueue::Taking::everything : WriteQueue::Taking::first_class,
        full() ? std::optional<std::chrono::milliseconds>(space_interval) : std::nullopt);
    if (!group && queue_.is_closed()) full_ = false;
    return group;
}

void Writer::write(Group group) {
    if (const auto known = damage()) return fail(group, *known);
    refuse_ordinary(group);
    auto error = transact(group, Try::first);
    while (error && took_out_undoing(group)) error = transact(group, Try::second);
    if (error && recovers_from(*error)) {
        refuse_ordinary(group);
        error = transact(group, Try::second);
    }
    if (error) return fail(group, *error);
    raise_counters(group);
    tell_changes(group);
    finish(group);
    checkpoint_if_long();
}

// SQLite ends the whole transaction where it stops a statement half-way: the others of the group
// are run again without the one that was stopped.
bool Writer::took_out_undoing(Group& group) {
    const auto undoing =
        std::find_if(group.begin(), group.end(), [](const Item& item) { return item.undoes; });
    if (undoing == group.end()) return false;
    Group alone;
    alone.push_back(std::move(*undoing));
    group.erase(undoing);
    finish(alone);
    return true;
}

// On a full disk what is left of it is for work that is owed.
void Writer::refuse_ordinary(Group& group) {
    if (!full()) return;
    Group refused;
    const auto first = std::stable_partition(
        group.begin(), group.end(), [](const Item& item) { return item.urgency == Urgency::owed; });
    std::move(first, group.end(), std::back_inserter(refused));
    group.erase(first, group.end());
    fail(refused, disk_is_full);
}

std::optional<StoreError> Writer::transact(Group& group, Try which) try {
    const bool takes_background = which == Try::first && !full();
    if (group.empty() && !takes_background) return std::nullopt;
    if (connection_->is_suspect()) reopen();
    connection_->take_fatal();
    connection_->begin_write();
    const auto began = SteadyClock::now();
    run_all(group);
    if (!connection_->in_transaction()) return std::nullopt;
    if (takes_background) add_background(group, SteadyClock::now() - began);
    commit();
    return std::nullopt;
} catch (const StoreError& error) {
    connection_->roll_back();
    return error;
} catch (const std::exception& error) {
    connection_->roll_back();
    return StoreError(StoreError::Kind::internal, error.what());
}

void Writer::run_all(Group& group) {
    if (group.size() == 1 && !queue_.has_background()) return run_alone(group.front());
    for (Item& item : group) run_one(item);
}

// Those who wait are in the group already: the longer the background takes now, the later they are
// answered. So it gets a part of the time they took, their last commit included; where nobody waits
// it goes on for as long as nobody comes.
void Writer::add_background(Group& group, SteadyClock::duration others_took) {
    const bool others = !group.empty();
    const auto share =
        others ? (others_took + last_commit_) / others_to_background : SteadyClock::duration{};
    const auto end = SteadyClock::now() + share;
    bool has_had_its_share = false;
    while (group.size() < WriteQueue::max_group) {
        auto item = queue_.next_of_background(others, has_had_its_share);
        if (!item) return;
        group.push_back(std::move(*item));
        run_one(group.back());
        has_had_its_share = SteadyClock::now() >= end;
    }
}

void Writer::commit() {
    before_commit.pass();
    const auto began = SteadyClock::now();
    connection_->commit();
    last_commit_ = SteadyClock::now() - began;
    static Histogram& seconds = commit_seconds.with({"sqlite"});
    seconds.observe(last_commit_);
    after_commit.pass();
    commits_.fetch_add(1, std::memory_order_relaxed);
}

void Writer::run_one(Item& item) {
    if (std::holds_alternative<Store::Work>(item.what)) return run_in_savepoint(item);
    // A statement that fails has changed nothing, and the transaction goes on.
    attempt(item);
}

void Writer::run_alone(Item& item) {
    attempt(item);
    if (item.error) connection_->roll_back();
}

void Writer::run_in_savepoint(Item& item) {
    connection_->savepoint();
    attempt(item);
    if (item.error)
        connection_->roll_back_to_savepoint();
    else
        connection_->release();
}

void Writer::attempt(Item& item) {
    item.error = nullptr;
    item.changes.clear();
    item.counts.clear();
    try {
        if (const auto* one = std::get_if<QueuedWrite::OneStatement>(&item.what))
            connection_->change(*one->statement, one->parameters);
        else
            run_work(std::get<Store::Work>(item.what), item);
    } catch (...) {
        item.error = std::current_exception();
    }
    // A full disk or an I/O error ends the group even where the work made nothing of it: SQLite may
    // have rolled back.
    if (const auto fatal = connection_->take_fatal()) throw *fatal;
    item.undoes = item.error && !connection_->in_transaction();
    if (item.undoes)
        throw StoreError(StoreError::Kind::unavailable, "a statement was stopped half-way");
}

void Writer::run_work(const Store::Work& work, Item& item) {
    WriteTransaction transaction(*connection_);
    work(transaction);
    if (!transaction.noted().empty()) {
        const std::lock_guard lock(listener_mutex_);
        if (follower_) follower_(transaction, transaction.noted());
    }
    item.changes = transaction.take_changes();
    item.counts = transaction.take_counts();
}

// True when the group may be tried once more.
bool Writer::recovers_from(const StoreError& error) {
    report("a transaction failed", error);
    if (error.kind == StoreError::Kind::corrupt) refuse_from_now_on(error);
    if (error.kind != StoreError::Kind::full) return false;
    full_ = true;
    looked_at_ = SteadyClock::now();
    const bool has_freed_space = ballast_.drop();
    // Where the file has room for what is in the log, the log can begin again, which needs no space
    // at all.
    checkpoint(false);
    return has_freed_space;
}

// A full disk fails every group: one line a second says so as well as a thousand.
void Writer::report(const char* text, const StoreError& error) {
    const auto now = SteadyClock::now();
    if (now - reported_at_ < 1s) return;
    reported_at_ = now;
    log_error("store", text, {{"reason", error.what()}});
}

void Writer::on_changes(std::function<void(Changes&&)> listener) {
    const std::lock_guard lock(listener_mutex_);
    listener_ = std::move(listener);
}

void Writer::on_noted(std::function<void(Transaction&, const Changes&)> follower) {
    const std::lock_guard lock(listener_mutex_);
    follower_ = std::move(follower);
}

void Writer::raise_counters(const Group& group) {
    for (const Item& item : group)
        if (!item.error)
            for (Counter* counter : item.counts) counter->add();
}

void Writer::tell_changes(Group& group) {
    Changes all;
    for (Item& item : group)
        if (!item.error)
            std::move(item.changes.begin(), item.changes.end(), std::back_inserter(all));
    const std::lock_guard lock(listener_mutex_);
    if (!all.empty() && listener_) listener_(std::move(all));
}

void Writer::finish(Group& group) {
    for (Item& item : group) {
        try {
            item.what = Store::Work{};  // What it holds ends before its caller goes on.
            if (item.done) item.done(std::move(item.error));
        } catch (const std::exception& error) {
            log_error("store", "a done callback threw", {{"reason", error.what()}});
        }
    }
}

void Writer::fail(Group& group, const StoreError& error) {
    // One exception object each: they end up on different threads.
    for (Item& item : group) item.error = std::make_exception_ptr(error);
    finish(group);
}

// After an I/O error the kernel may have dropped what it could not write and call the next fsync a
// success; so nothing of the old connection is used again. The new one is opened first: while any
// connection is open, the index of the log in shared memory stays, and with it the knowledge that
// the failed transaction does not count.
void Writer::reopen() {
    auto fresh = std::make_unique<Connection>(file_, Connection::Role::writer);
    connection_ = std::move(fresh);
    log_warn("store", "the writer has opened the database anew after an I/O error");
}

void Writer::checkpoint_if_long() {
    if (empties_log_.exchange(false)) {
        checkpoint(true);
        if (connection_->log_bytes() > 0) empties_log_ = true;  // A reader needs it: at the next.
        return;
    }
    const size_t bytes = connection_->log_bytes();
    if (bytes < long_log_bytes) checkpoint_at_ = long_log_bytes;
    if (bytes < checkpoint_at_) return;
    // A reader of an old state keeps the log from beginning again: then not at every commit, but at
    // every 8 MiB.
    checkpoint_at_ = bytes + long_log_bytes;
    checkpoint(bytes >= very_long_log_bytes);
}

void Writer::checkpoint(bool truncate) try {
    if (connection_->is_suspect()) reopen();
    connection_->checkpoint(truncate);
} catch (const StoreError& error) {
    report("a checkpoint failed", error);
}

void Writer::look_for_space() {
    const auto now = SteadyClock::now();
    if (now - looked_at_ < space_interval) return;
    looked_at_ = now;
    if (!ballast_.restore()) return;
    full_ = false;
    log_info("store", "there is room on the disk again");
}

}  // namespace patchbay
