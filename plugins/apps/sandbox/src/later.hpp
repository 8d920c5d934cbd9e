// Work for later: what a provider does some time after it answered.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace patchbay::sandbox {

/// A few threads that run tasks at their time, in order of time. The destructor drops what is not
/// due, waits for what runs, and joins. [any thread]
class Later {
public:
    using Task = std::function<void()>;

    explicit Later(unsigned threads);
    ~Later();
    Later(const Later&) = delete;
    Later& operator=(const Later&) = delete;

    /// Must not throw.
    void run_after(std::chrono::milliseconds delay, Task task);

private:
    using Clock = std::chrono::steady_clock;

    void work();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::multimap<Clock::time_point, Task> tasks_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace patchbay::sandbox
