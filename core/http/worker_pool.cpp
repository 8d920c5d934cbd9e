#include "http/worker_pool.hpp"

#include <algorithm>

namespace patchbay {

WorkerPool::WorkerPool(const char* name, unsigned threads, size_t max_queued)
    : max_queued_(max_queued) {
    for (unsigned i = 0; i < std::max(threads, 1u); ++i) {
        threads_.push_back(std::make_unique<ReplaceableThread>());
        threads_.back()->start(name, [this] { run(); });
    }
}

bool WorkerPool::post(std::function<void()> work) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || queue_.size() >= max_queued_) return false;
        queue_.push_back(std::move(work));
    }
    changed_.notify_one();
    return true;
}

void WorkerPool::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
        if (stopped_) return;
        auto work = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        work();
        work = nullptr;  // What it holds must not be freed under the lock.
        if (this_thread_is_lost()) return;
        lock.lock();
    }
}

void WorkerPool::stop() {
    std::deque<std::function<void()>> dropped;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        dropped.swap(queue_);
    }
    changed_.notify_all();
    for (const auto& thread : threads_) thread->join();
}

}  // namespace patchbay
