#include "base/replaceable_thread.hpp"

#include <pthread.h>

#include <iterator>

namespace patchbay {

ReplaceableThread::~ReplaceableThread() {
    join();
    for (std::thread& thread : lost_) thread.join();
}

void ReplaceableThread::start(const char* name, std::function<void()> body) {
    const std::lock_guard lock{mutex_};
    name_ = name;
    body_ = std::move(body);
    running_ = true;
    launch({});
}

void ReplaceableThread::join() {
    {
        std::unique_lock lock{mutex_};
        ended_.wait(lock, [this] { return !running_; });
    }
    // Nobody replaces it any more.
    if (thread_.joinable()) thread_.join();
}

void ReplaceableThread::launch(Rest rest) {
    thread_ = std::thread{[this, rest = std::move(rest)]() mutable { run(std::move(rest)); }};
    pthread_setname_np(thread_.native_handle(), name_);
}

void ReplaceableThread::run(Rest rest) {
    size_t begun = 0;
    const Abandonable here{[&](Rest& left) {
        const auto next = rest.begin() + static_cast<std::ptrdiff_t>(begun);
        left.insert(left.end(), std::make_move_iterator(next), std::make_move_iterator(rest.end()));
        replace(std::exchange(left, {}));
    }};
    while (begun < rest.size()) {
        const auto one = std::move(rest[begun++]);
        one();
        if (this_thread_is_lost()) return;
    }
    body_();
    if (this_thread_is_lost()) return;
    const std::lock_guard lock{mutex_};
    running_ = false;
    ended_.notify_all();
}

void ReplaceableThread::replace(Rest rest) {
    const std::lock_guard lock{mutex_};
    lost_.push_back(std::move(thread_));
    launch(std::move(rest));
}

}  // namespace patchbay
