// Threads with a bounded queue.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/replaceable_thread.hpp"

namespace patchbay {

/// [any thread] Work must not throw. A thread that is lost in its work is replaced.
class WorkerPool {
public:
    /// Starts at once. `name` shows in debuggers, 15 bytes at most.
    WorkerPool(const char* name, unsigned threads, size_t max_queued);
    ~WorkerPool() { stop(); }  ///< Waits for lost threads too.

    /// False when the queue is full or the pool has stopped. Never blocks.
    bool post(std::function<void()> work);

    /// Drops what has not begun and waits for what has, unless its thread is lost. Idempotent.
    void stop();

private:
    void run();

    const size_t max_queued_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queue_;
    bool stopped_ = false;
    std::vector<std::unique_ptr<ReplaceableThread>> threads_;
};

}  // namespace patchbay
