// What waits to be written, in two classes: what somebody waits for, and the background.
#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "store/store.hpp"

namespace patchbay {

/// One write: work in a savepoint, or a single statement, which needs none.
struct QueuedWrite {
    struct OneStatement {
        const Statement* statement;
        Values parameters;
    };
    std::variant<Store::Work, OneStatement> what;
    Store::Done done;
    Urgency urgency = Urgency::ordinary;
    std::exception_ptr error = nullptr;
    bool undoes = false;             ///< It ended the transaction of the whole group.
    Changes changes{};               ///< Noted by the work when it ran last.
    std::vector<Counter*> counts{};  ///< Likewise.
};

/// [any thread] Each class keeps its order. Filled by anyone, emptied by the writer.
class WriteQueue {
public:
    using Item = QueuedWrite;
    using Group = std::vector<Item>;

    /// Of each class at most so many wait (G19).
    explicit WriteQueue(size_t max_of_each) : max_of_each_(max_of_each) {}

    /// Throws StoreError(unavailable): there are too many, or the queue is closed.
    void add(Item item);
    void close();  ///< What is there can still be taken.

    enum class Taking { first_class, everything };
    /// Waits for anything to write, `longest` at most where it is given. What comes may be empty:
    /// then only the background waits. nullopt: there is nothing, and will be nothing when closed.
    std::optional<Group> take(Taking taking, std::optional<std::chrono::milliseconds> longest);

    /// The next of the background, for a group that has `others` of the first class in it. nullopt:
    /// there is none, or it has had its share and somebody waits.
    std::optional<Item> next_of_background(bool others, bool has_had_its_share);

    bool has_background() const;
    bool is_closed() const;
    size_t size() const;

    /// A transaction has at most so many writes.
    static constexpr size_t max_group = 1024;
    /// Of these are kept for the background while it has something to write.
    static constexpr size_t kept_for_background = 128;
    /// Beside overdue work a group takes no more than so many of the first class.
    static constexpr size_t most_beside_overdue = 32;

private:
    size_t most_of_first_class() const;
    Item pop_background();

    const size_t max_of_each_;
    mutable std::mutex mutex_;
    std::condition_variable added_;
    std::deque<Item> first_, background_;
    size_t overdue_ = 0;  ///< Of the background.
    bool closed_ = false;
};

}  // namespace patchbay
