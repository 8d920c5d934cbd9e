// The threads that send, of all channels together (guarantees section 8): none may hold more than
// half of them, so that one whose provider hangs leaves the others theirs.
#pragma once
#include <algorithm>
#include <map>
#include <mutex>
#include <string>

namespace patchbay {

/// [any thread]
class Bulkhead {
public:
    explicit Bulkhead(unsigned threads = 256) : threads_(threads) {}

    /// The most that one channel may have at work.
    unsigned most_of_one() const { return std::max(1u, threads_ / 2); }
    /// How many more may begin on a channel that has `busy` at work. A channel with none at work
    /// always gets one.
    unsigned free_for(const std::string& channel, unsigned busy) {
        const std::lock_guard lock{mutex_};
        busy_[channel] = busy;
        unsigned all = 0;
        for (const auto& [name, count] : busy_) all += count;
        const unsigned left = all < threads_ ? threads_ - all : 0;
        const unsigned own = busy < most_of_one() ? most_of_one() - busy : 0;
        return std::max(std::min(left, own), busy == 0 ? 1u : 0u);
    }
    /// One more is at work, until free_for() is told otherwise.
    void began(const std::string& channel) {
        const std::lock_guard lock{mutex_};
        ++busy_[channel];
    }

private:
    const unsigned threads_;
    std::mutex mutex_;
    std::map<std::string, unsigned> busy_;
};

}  // namespace patchbay
