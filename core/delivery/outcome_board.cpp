#include "delivery/outcome_board.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto keep_outcomes_for = 15s;
constexpr size_t most_kept = 20'000;
constexpr size_t most_waiting = 20'000;  // Above it the caller gets its 202 at once (G19).

struct Waiter {
    std::string message_id;
    OutcomeBoard::Callback callback;
};

}  // namespace

struct OutcomeBoard::Impl {
    using Waiters = std::multimap<Steady::time_point, Waiter>;

    void run();
    void forget_old(Steady::time_point now);
    std::vector<Callback> take_due(Steady::time_point now);
    std::vector<Callback> take_all();

    mutable std::mutex mutex;
    std::condition_variable changed;
    Waiters waiters;  // By deadline.
    std::unordered_multimap<std::string, Waiters::iterator> by_message;
    std::unordered_map<std::string, FirstOutcome> outcomes;
    std::deque<std::pair<Steady::time_point, std::string>> ages;  // Of the outcomes, oldest first.
    bool stopping = false;
    std::thread thread;
};

void OutcomeBoard::Impl::run() {
    std::unique_lock lock{mutex};
    while (!stopping) {
        if (waiters.empty()) {
            changed.wait(lock);
        } else {
            // A copy: the waiter may be gone when the wait looks at its time again.
            const Steady::time_point deadline = waiters.begin()->first;
            changed.wait_until(lock, deadline);
        }
        const auto due = take_due(Steady::now());
        lock.unlock();
        for (const Callback& callback : due) callback(std::nullopt);
        lock.lock();
    }
}

std::vector<OutcomeBoard::Callback> OutcomeBoard::Impl::take_due(Steady::time_point now) {
    std::vector<Callback> due;
    while (!waiters.empty() && waiters.begin()->first <= now) {
        const auto first = waiters.begin();
        const auto [begin, end] = by_message.equal_range(first->second.message_id);
        for (auto at = begin; at != end; ++at) {
            if (at->second != first) continue;
            by_message.erase(at);
            break;
        }
        due.push_back(std::move(first->second.callback));
        waiters.erase(first);
    }
    return due;
}

std::vector<OutcomeBoard::Callback> OutcomeBoard::Impl::take_all() {
    std::vector<Callback> all;
    for (auto& [deadline, waiter] : waiters) all.push_back(std::move(waiter.callback));
    waiters.clear();
    by_message.clear();
    return all;
}

void OutcomeBoard::Impl::forget_old(Steady::time_point now) {
    while (!ages.empty() &&
           (ages.front().first + keep_outcomes_for < now || ages.size() > most_kept)) {
        outcomes.erase(ages.front().second);
        ages.pop_front();
    }
}

OutcomeBoard::OutcomeBoard() : impl_(std::make_unique<Impl>()) {
    impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

OutcomeBoard::~OutcomeBoard() { stop(); }

void OutcomeBoard::await(const std::string& message_id, std::chrono::milliseconds longest,
                         Callback callback) {
    std::optional<FirstOutcome> known;
    {
        const std::lock_guard lock{impl_->mutex};
        const auto found = impl_->outcomes.find(message_id);
        if (found != impl_->outcomes.end()) known = found->second;
        if (!known && !impl_->stopping && impl_->waiters.size() < most_waiting) {
            const auto at = impl_->waiters.emplace(Steady::now() + longest,
                                                   Waiter{message_id, std::move(callback)});
            impl_->by_message.emplace(message_id, at);
            impl_->changed.notify_one();
            return;
        }
    }
    callback(known);
}

void OutcomeBoard::post(const std::string& message_id, FirstOutcome outcome) {
    std::vector<Callback> told;
    {
        const std::lock_guard lock{impl_->mutex};
        const auto now = Steady::now();
        impl_->forget_old(now);
        if (!impl_->outcomes.emplace(message_id, outcome).second) return;  // Not the first.
        impl_->ages.emplace_back(now, message_id);
        const auto [begin, end] = impl_->by_message.equal_range(message_id);
        for (auto at = begin; at != end; ++at) {
            told.push_back(std::move(at->second->second.callback));
            impl_->waiters.erase(at->second);
        }
        impl_->by_message.erase(message_id);
    }
    for (const Callback& callback : told) callback(outcome);
}

void OutcomeBoard::stop() {
    std::vector<Callback> left;
    {
        const std::lock_guard lock{impl_->mutex};
        impl_->stopping = true;
        left = impl_->take_all();
    }
    impl_->changed.notify_all();
    for (const Callback& callback : left) callback(std::nullopt);
    if (impl_->thread.joinable() && impl_->thread.get_id() != std::this_thread::get_id()) {
        impl_->thread.join();
    }
}

size_t OutcomeBoard::waiting() const {
    const std::lock_guard lock{impl_->mutex};
    return impl_->waiters.size();
}

}  // namespace patchbay
