#include "realtime/sequence.hpp"

namespace patchbay {

std::optional<int64_t> Sequence::follow(const EventLog& log, const Viewer& viewer) {
    if (position_ < log.begin()) return std::nullopt;
    const int64_t before = now_;
    for (; position_ < log.end(); ++position_)
        if (may_see(viewer, log.at(position_))) ++now_;
    return now_ - before;
}

// Most resume a moment later, so the way from the end is the short one.
std::optional<uint64_t> Sequence::find(const EventLog& log, const Viewer& viewer, int64_t since,
                                       int64_t most) const {
    if (since < begin_ || since > now_ || now_ - since > most) return std::nullopt;
    uint64_t position = log.end();
    for (int64_t left = now_ - since; left > 0;) {
        if (position == log.begin()) return std::nullopt;
        --position;
        if (may_see(viewer, log.at(position))) --left;
    }
    return position;
}

}  // namespace patchbay
