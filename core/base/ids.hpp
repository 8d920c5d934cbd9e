// Ids made by the application (data-model rules): UUIDv7 as text for what the API shows, int64 for
// machine rows.
#pragma once
#include <cstdint>
#include <mutex>
#include <string>

#include "base/clock.hpp"

namespace patchbay {

/// Called from any thread. Both kinds rise strictly within one process.
class Ids {
public:
    /// `node` is this process's number in table workers, 0..255.
    Ids(const Clock& clock, uint8_t node = 0) : clock_(clock), node_(node) {}

    /// Lower-case UUIDv7: text order is time order.
    std::string uuid();

    /// (ms since 2025-01-01) << 22 | node << 14 | counter. Passes 2^53: JSON shows it as text.
    int64_t machine_id();

    /// The lowest machine id of a moment, for retention and `since` filters.
    static int64_t lowest_at(TimeMs at);

private:
    const Clock& clock_;
    uint8_t node_;
    std::mutex mutex_;
    TimeMs uuid_ms_ = 0;
    uint32_t uuid_counter_ = 0;
    TimeMs machine_ms_ = 0;
    uint32_t machine_counter_ = 0;
};

}  // namespace patchbay
