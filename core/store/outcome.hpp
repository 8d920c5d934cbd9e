// What one write came to, for a thread that waits for it.
#pragma once
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

namespace patchbay {

class Outcome {
public:
    /// [writer thread]
    void set(std::exception_ptr error) {
        // Told under the lock: the waiting thread ends this object as soon as it has the lock.
        const std::lock_guard lock(mutex_);
        error_ = std::move(error);
        is_set_ = true;
        changed_.notify_one();
    }

    /// False when there is none yet.
    bool wait_for(std::chrono::milliseconds longest) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, longest, [this] { return is_set_; });
    }

    /// Waits, and throws what the write threw.
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

}  // namespace patchbay
