// A thread that calls plugins and is replaced when it is lost in one.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/abandonable.hpp"

namespace patchbay {

/// Started and joined by its owner.
class ReplaceableThread {
public:
    ReplaceableThread() = default;
    ~ReplaceableThread();  ///< join(), then waits for lost ones too.
    ReplaceableThread(const ReplaceableThread&) = delete;
    ReplaceableThread& operator=(const ReplaceableThread&) = delete;

    /// Runs `body`, which returns when its owner asks for it, or this_thread_is_lost(). When the
    /// thread is lost another one does the rest of its work and runs `body` again. `name` shows in
    /// debuggers, 15 bytes at most; a literal.
    void start(const char* name, std::function<void()> body);
    /// Waits until `body` has returned; not for threads that are lost. Idempotent.
    void join();

private:
    void launch(Rest rest);
    void run(Rest rest);
    void replace(Rest rest);

    const char* name_ = "";
    std::function<void()> body_;
    std::mutex mutex_;
    std::condition_variable ended_;
    bool running_ = false;
    std::thread thread_;
    std::vector<std::thread> lost_;
};

}  // namespace patchbay
