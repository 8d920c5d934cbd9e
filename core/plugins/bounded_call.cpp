#include "plugins/bounded_call.hpp"

#include <pthread.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace patchbay {
namespace {

struct Progress {
    std::mutex mutex;
    std::condition_variable ended;
    bool has_ended = false;
};

}  // namespace

bool ends_within(std::chrono::milliseconds allowed, std::function<void()> work) {
    const auto progress = std::make_shared<Progress>();
    std::thread thread{[progress, work = std::move(work)]() mutable {
        work();
        work = nullptr;  // What it holds goes before somebody hears that it has ended.
        const std::lock_guard lock{progress->mutex};
        progress->has_ended = true;
        progress->ended.notify_all();
    }};
    pthread_setname_np(thread.native_handle(), "plugin-control");
    bool is_back = false;
    {
        std::unique_lock lock{progress->mutex};
        is_back = progress->ended.wait_for(lock, allowed, [&] { return progress->has_ended; });
    }
    is_back ? thread.join() : thread.detach();
    return is_back;
}

}  // namespace patchbay
