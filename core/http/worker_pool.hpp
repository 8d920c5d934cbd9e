// Threads with a bounded queue.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace patchbay {

/// [any thread] Work must not throw.
class WorkerPool {
public:
    /// Starts at once. `name` shows in debuggers, 15 bytes at most.
    WorkerPool(const char* name, unsigned threads, size_t max_queued);
    ~WorkerPool() { stop(); }

    /// False when the queue is full or the pool has stopped. Never blocks.
    bool post(std::function<void()> work);

    /// Drops what has not begun and waits for what has. Idempotent.
    void stop();

private:
    void run();

    const size_t max_queued_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queue_;
    bool stopped_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace patchbay
