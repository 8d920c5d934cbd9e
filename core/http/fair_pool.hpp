// Threads that several owners share, so that one whose work hangs leaves the others theirs
// (guarantees section 8, bulkheads).
#pragma once
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "http/worker_pool.hpp"

namespace patchbay {

/// [any thread] Work must not throw. A thread that is lost in its work is replaced, and counts no
/// more as at work.
class FairPool {
public:
    /// Starts at once. At most half of the threads work for one owner; what is more waits, up to
    /// `max_waiting` of each owner.
    FairPool(const char* name, unsigned threads, size_t max_waiting)
        : most_at_work_(std::max(1u, threads / 2)),
          max_waiting_(max_waiting),
          pool_(name, threads, most_queued) {}
    ~FairPool() { stop(); }

    /// False when too much of this owner waits, or the pool has stopped. Never blocks.
    bool post(const std::string& owner, std::function<void()> work) {
        {
            const std::lock_guard lock{mutex_};
            if (stopped_) return false;
            Share& share = shares_[owner];
            if (share.at_work >= most_at_work_) {
                if (share.waiting.size() >= max_waiting_) return false;
                share.waiting.push_back(std::move(work));
                return true;
            }
            ++share.at_work;
        }
        if (begin(owner, std::move(work))) return true;
        const std::lock_guard lock{mutex_};
        --shares_[owner].at_work;
        return false;
    }

    /// Drops what has not begun and waits for what has. Idempotent.
    void stop() {
        std::map<std::string, Share> dropped;
        {
            const std::lock_guard lock{mutex_};
            stopped_ = true;
            for (auto& [owner, share] : shares_) dropped[owner].waiting.swap(share.waiting);
        }
        dropped.clear();  // Not under the lock: what it holds may do anything when it goes.
        pool_.stop();
    }

private:
    static constexpr size_t most_queued = 1024;  // Of all owners, each with half of the threads.

    struct Share {
        unsigned at_work = 0;
        std::deque<std::function<void()>> waiting;
    };

    bool begin(const std::string& owner, std::function<void()> work) {
        return pool_.post(
            [this, owner, work = std::move(work)]() mutable { run(owner, std::move(work)); });
    }
    void run(const std::string& owner, std::function<void()> work) {
        const Abandonable here{[this, owner](Rest& rest) {
            rest.emplace_back([this, owner] { run(owner, next_of(owner)); });
        }};
        while (work) {
            work();
            if (this_thread_is_lost()) return;
            work = next_of(owner);
            // Behind what others have posted meanwhile.
            if (work && begin(owner, work)) return;
        }
    }
    /// Empty: nothing of this owner waits, and one less is at work.
    std::function<void()> next_of(const std::string& owner) {
        const std::lock_guard lock{mutex_};
        Share& share = shares_[owner];
        if (share.waiting.empty() || stopped_) {
            --share.at_work;
            return {};
        }
        auto next = std::move(share.waiting.front());
        share.waiting.pop_front();
        return next;
    }

    const unsigned most_at_work_;
    const size_t max_waiting_;
    std::mutex mutex_;
    std::map<std::string, Share> shares_;
    bool stopped_ = false;
    WorkerPool pool_;
};

}  // namespace patchbay
