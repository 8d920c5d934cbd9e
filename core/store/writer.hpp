// The one thread that writes. It takes what has queued into one transaction: first what somebody
// waits for, then a share for the background.
#pragma once
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "store/connection.hpp"
#include "store/database_file.hpp"
#include "store/write_queue.hpp"

namespace patchbay {

class Writer {
public:
    /// `connection` is open and checked.
    Writer(std::filesystem::path file, std::unique_ptr<Connection> connection,
           const StoreConfig& config);
    ~Writer();    ///< Stops, then empties the log into the file: readers are closed by then, or it
                  ///< stays.
    void stop();  ///< Finishes what is queued. Later writes are refused.
    bool is_damaged() const { return damage().has_value(); }

    /// [any thread] See Store::write_async and Store::run_async.
    void add(QueuedWrite write) { queue_.add(std::move(write)); }

    /// [any thread] A reader has found the file damaged: writes are refused from now on (G23).
    void refuse_from_now_on(const StoreError& damage);

    /// [any thread] See Store::on_changes.
    void on_changes(std::function<void(Changes&&)> listener);

    /// [any thread] See Store::on_noted.
    void on_noted(std::function<void(Transaction&, const Changes&)> follower);
    /// [any thread] See Store::empty_log.
    void empty_log() { empties_log_ = true; }

    size_t queued() const { return queue_.size(); }
    uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
    bool full() const { return full_.load(std::memory_order_relaxed); }
    bool is_this_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

private:
    using Item = WriteQueue::Item;
    using Group = WriteQueue::Group;
    using SteadyClock = std::chrono::steady_clock;
    enum class Try { first, second };

    void run();
    std::optional<Group> take();
    void write(Group group);
    void refuse_ordinary(Group& group);
    bool took_out_undoing(Group& group);
    std::optional<StoreError> transact(Group& group, Try which);
    void run_all(Group& group);
    void add_background(Group& group, SteadyClock::duration others_took);
    void commit();
    void run_one(Item& item);
    void run_alone(Item& item);
    void run_in_savepoint(Item& item);
    void attempt(Item& item);
    void run_work(const Store::Work& work, Item& item);
    bool recovers_from(const StoreError& error);
    void finish(Group& group);
    void tell_changes(Group& group);
    static void raise_counters(const Group& group);
    void fail(Group& group, const StoreError& error);
    void reopen();
    void checkpoint_if_long();
    void checkpoint(bool truncate);
    void report(const char* text, const StoreError& error);
    void look_for_space();
    std::optional<StoreError> damage() const;

    const std::filesystem::path file_;
    Ballast ballast_;
    std::unique_ptr<Connection> connection_;
    size_t checkpoint_at_;
    SteadyClock::time_point reported_at_{};
    SteadyClock::time_point looked_at_{};
    SteadyClock::duration last_commit_{};
    std::atomic<uint64_t> commits_{0};
    std::atomic<bool> full_{false};
    std::atomic<bool> empties_log_{false};

    WriteQueue queue_;
    mutable std::mutex damage_mutex_;
    std::optional<StoreError> damage_;
    std::mutex
        listener_mutex_;  ///< Held during a call, so that it has ended when it is taken away.
    std::function<void(Changes&&)> listener_;
    std::function<void(Transaction&, const Changes&)> follower_;  ///< Under the same mutex.
    std::thread thread_;  ///< Last: it uses everything above.
};

}  // namespace patchbay
