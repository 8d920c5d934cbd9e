#include "later.hpp"

namespace patchbay::sandbox {

Later::Later(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Later::~Later() {
    {
        std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Later::run_after(std::chrono::milliseconds delay, Task task) {
    {
        std::lock_guard lock{mutex_};
        if (stopping_) return;
        tasks_.emplace(Clock::now() + delay, std::move(task));
    }
    wake_.notify_one();
}

void Later::work() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        if (tasks_.empty()) {
            wake_.wait(lock);
            continue;
        }
        const Clock::time_point due = tasks_.begin()->first;
        if (Clock::now() < due) {
            wake_.wait_until(lock, due);
            continue;
        }
        const Task task = std::move(tasks_.begin()->second);
        tasks_.erase(tasks_.begin());
        lock.unlock();
        task();
        lock.lock();
    }
}

}  // namespace patchbay::sandbox
