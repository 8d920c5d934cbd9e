// The last events of the hub, once for everybody. Who resumes is sent what of it he may see.
#pragma once
#include <chrono>
#include <deque>

#include "realtime/live_event.hpp"

namespace patchbay {

/// Bounded by age and by bytes (G19, G20). Positions count events since the start of the process
/// and never come again. [one thread]
class EventLog {
public:
    struct Limits {
        std::chrono::milliseconds age = std::chrono::hours{1};
        size_t bytes = 32 << 20;
    };
    explicit EventLog(Limits limits) : limits_(limits) {}

    /// Forgets what is too old or too much for the new one.
    const LiveEvent& append(LiveEvent event);
    void forget_old(TimeMs now);
    void clear();

    uint64_t begin() const { return begin_; }  ///< Of the oldest that is kept.
    uint64_t end() const { return begin_ + events_.size(); }
    /// `position` lies in [begin(), end()).
    const LiveEvent& at(uint64_t position) const { return events_[position - begin_]; }
    size_t bytes() const { return bytes_; }

private:
    void forget_first();
    const Limits limits_;
    std::deque<LiveEvent> events_;
    uint64_t begin_ = 0;
    size_t bytes_ = 0;
};

}  // namespace patchbay
