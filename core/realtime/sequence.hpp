// The numbers of one user's events, without a copy of the events.
#pragma once
#include "realtime/event_log.hpp"

namespace patchbay {

/// Counts the events of the log that its viewer may see: `seq` of /ws. While the viewer is away
/// nothing counts; follow() makes up for it from the log. [one thread]
class Sequence {
public:
    Sequence(int64_t begin, uint64_t position) : begin_(begin), now_(begin), position_(position) {}

    int64_t now() const { return now_; }  ///< Number of the newest event, or where counting began.

    /// Goes on to the end of the log; answers how many events were counted. nullopt: the log has
    /// forgotten some, so that the numbers mean nothing any more.
    std::optional<int64_t> follow(const EventLog& log, const Viewer& viewer);

    /// Where the events after number `since` begin. nullopt when more than `most` came since, the
    /// log has forgotten some of them, or there is no such number. Call follow() first.
    std::optional<uint64_t> find(const EventLog& log, const Viewer& viewer, int64_t since,
                                 int64_t most) const;

private:
    int64_t begin_, now_;
    uint64_t position_;
};

}  // namespace patchbay
