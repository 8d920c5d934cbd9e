// The one thread that writes. It takes what has queued into one transaction, a savepoint each.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "store/connection.hpp"
#include "store/database_file.hpp"

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

    /// [any thread] See Store::write_async.
    void add(Store::Work work, Store::Done done, Urgency urgency);

    /// [any thread] A reader has found the file damaged: writes are refused from now on (G23).
    void refuse_from_now_on(const StoreError& damage);

    /// [any thread] See Store::on_changes.
    void on_changes(std::function<void(Changes&&)> listener);

    size_t queued() const;
    uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
    bool full() const { return full_.load(std::memory_order_relaxed); }
    bool is_this_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

private:
    struct Item {
        Store::Work work;
        Store::Done done;
        Urgency urgency;
        std::exception_ptr error;
        Changes changes{};
    };
    using Group = std::vector<Item>;

    void run();
    Group take();
    void write(Group group);
    void refuse_ordinary(Group& group);
    std::optional<StoreError> transact(Group& group);
    void run_alone(Item& item);
    void run_in_savepoint(Item& item);
    bool recovers_from(const StoreError& error);
    void finish(Group& group);
    void tell_changes(Group& group);
    void fail(Group& group, const StoreError& error);
    void reopen();
    void checkpoint_if_long();
    void checkpoint(bool truncate);
    void report(const char* text, const StoreError& error);
    void look_for_space();
    std::optional<StoreError> damage() const;

    const std::filesystem::path file_;
    const size_t max_queued_;
    Ballast ballast_;
    std::unique_ptr<Connection> connection_;
    size_t checkpoint_at_;
    std::chrono::steady_clock::time_point reported_at_{};
    std::chrono::steady_clock::time_point looked_at_{};
    std::atomic<uint64_t> commits_{0};
    std::atomic<bool> full_{false};

    mutable std::mutex mutex_;
    std::condition_variable added_;
    std::deque<Item> queue_;
    bool stopping_ = false;
    std::optional<StoreError> damage_;
    std::mutex
        listener_mutex_;  ///< Held during a call, so that it has ended when it is taken away.
    std::function<void(Changes&&)> listener_;
    std::thread thread_;  ///< Last: it uses everything above.
};

}  // namespace patchbay
