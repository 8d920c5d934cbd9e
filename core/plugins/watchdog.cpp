#include "plugins/watchdog.hpp"

#include <pthread.h>

#include <algorithm>

namespace patchbay {
namespace {

using namespace std::chrono_literals;

// While calls come it looks this often, so that not each of them has to wake it.
constexpr auto tick = 100ms;
// After so many in which none came it sleeps until one does.
constexpr unsigned ticks_before_sleep = 20;
// Woken so late it was not scheduled, nor were the plugins: a machine that stood still, a debugger.
constexpr auto overslept = 500ms;

Error overrun() {
    Error error(ErrorKind::timed_out, "the plugin did not answer in time");
    error.code = Watchdog::overrun_code;
    error.request_left = true;
    return error;
}

}  // namespace

Watchdog::~Watchdog() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    earlier_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Watchdog::Watched::Watched(Watchdog& dog, Callee& callee, uint32_t method,
                           std::chrono::milliseconds allowed)
    : dog_(dog), callee_(callee), work_(work_in_hand()), method_(method) {
    if (work_.lost) throw overrun();
    until_ = std::chrono::steady_clock::now() + std::max(allowed, 0ms) + grace;
    ++work_.calls;
    entered_ = true;
    dog_.enter(*this);
}

Watchdog::Watched::~Watched() {
    if (entered_) dog_.remove(*this);
}

void Watchdog::Watched::leave() {
    if (!std::exchange(entered_, false)) return;
    const bool was_late = dog_.remove(*this);
    if (was_late) throw overrun();
}

void Watchdog::enter(Watched& call) {
    const std::lock_guard lock{mutex_};
    call.after_ = first_;
    if (first_) first_->before_ = &call;
    first_ = &call;
    ++entered_;
    if (call.until_ >= wakes_at_) return;
    wakes_at_ = call.until_;
    if (!thread_.joinable()) {
        thread_ = std::thread{[this] { run(); }};
        pthread_setname_np(thread_.native_handle(), "plugin-watchdog");
    }
    earlier_.notify_one();
}

bool Watchdog::remove(Watched& call) {
    {
        std::unique_lock lock{mutex_};
        if (!call.late_) unlink(call);
        told_.wait(lock, [&] { return !call.being_told_; });
    }
    const bool is_outermost = --call.work_.calls == 0;
    if (!call.late_) return false;
    call.callee_.thread_back(call.method_, call.to_blame_);
    // Nobody took its place, so it is as good as before.
    if (is_outermost && !call.work_.innermost) call.work_.lost = false;
    return true;
}

void Watchdog::unlink(Watched& call) {
    if (call.before_) call.before_->after_ = call.after_;
    if (call.after_) call.after_->before_ = call.before_;
    if (first_ == &call) first_ = call.after_;
}

Watchdog::Watched* Watchdog::next_overdue(SteadyTime now) {
    for (Watched* call = first_; call; call = call->after_)
        if (call->until_ <= now) return call;
    return nullptr;
}

Watchdog::SteadyTime Watchdog::look(SteadyTime now) {
    std::unique_lock lock{mutex_};
    while (Watched* call = next_overdue(now)) {
        unlink(*call);
        call->late_ = call->being_told_ = true;
        call->to_blame_ = !call->work_.lost;
        lock.unlock();
        call->callee_.thread_lost(call->method_, call->to_blame_);
        give_up(call->work_);
        lock.lock();
        call->being_told_ = false;
        told_.notify_all();
    }
    SteadyTime next = SteadyTime::max();
    for (const Watched* call = first_; call; call = call->after_)
        next = std::min(next, call->until_);
    return next;
}

void Watchdog::run() {
    unsigned quiet_ticks = 0;
    uint64_t seen = 0;
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        lock.unlock();
        const SteadyTime now = std::chrono::steady_clock::now();
        const SteadyTime nearest = look(now);
        lock.lock();
        quiet_ticks = std::exchange(seen, entered_) == entered_ ? quiet_ticks + 1 : 0;
        const bool sleeps = quiet_ticks >= ticks_before_sleep;
        wakes_at_ = sleeps ? nearest : std::min(nearest, now + tick);
        const SteadyTime meant = wakes_at_;
        const auto is_woken = [&] { return stopping_ || wakes_at_ < meant; };
        if (meant == SteadyTime::max()) {
            earlier_.wait(lock, is_woken);
            continue;
        }
        earlier_.wait_until(lock, meant, is_woken);
        const auto late_by = std::chrono::steady_clock::now() - wakes_at_;
        if (late_by < overslept) continue;
        for (Watched* call = first_; call; call = call->after_) call->until_ += late_by;
    }
}

}  // namespace patchbay
