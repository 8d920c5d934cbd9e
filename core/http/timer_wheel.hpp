// Deadlines of many connections at the cost of a vector push each.
#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace patchbay {

/// An entry is an id and the tick it is due at. Entries are never removed: whoever added one
/// ignores it when it no longer counts. [one thread]
class TimerWheel {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds tick{50};

    explicit TimerWheel(Time now) : passed_(tick_of(now)) {}

    /// The tick that covers `at`: never before it.
    static int64_t tick_of(Time at) { return at.time_since_epoch() / tick + 1; }

    /// Returns the tick it will ring at: one that has passed would be met only after a whole turn.
    int64_t add(uint64_t id, int64_t due) {
        due = std::max(due, passed_ + 1);
        slots_[slot_of(due)].push_back({id, due});
        ++size_;
        return due;
    }

    bool empty() const { return size_ == 0; }

    /// Calls ring(id, tick) for each entry that is due. `ring` may add entries.
    template <class Ring>
    void advance(Time now, Ring&& ring) {
        const int64_t until = now.time_since_epoch() / tick;
        const int64_t first =
            std::max(passed_ + 1, until - static_cast<int64_t>(slots_.size()) + 1);
        for (int64_t turn = first; turn <= until; ++turn) {
            if (slots_[slot_of(turn)].empty()) continue;
            std::vector<Entry> entries;
            entries.swap(slots_[slot_of(turn)]);
            size_ -= entries.size();
            passed_ = std::max(passed_, turn);
            for (const Entry& entry : entries) {
                if (entry.due <= until)
                    ring(entry.id, entry.due);
                else
                    add(entry.id, entry.due);
            }
        }
        passed_ = std::max(passed_, until);
    }

private:
    struct Entry {
        uint64_t id;
        int64_t due;
    };
    size_t slot_of(int64_t due) const { return static_cast<size_t>(due) % slots_.size(); }

    std::array<std::vector<Entry>, 512> slots_;
    int64_t passed_;
    size_t size_ = 0;
};

}  // namespace patchbay
