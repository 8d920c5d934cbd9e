// How fast one channel may go: its rate, its slow start after trouble, and its breaker (guarantees
// section 8, G18). Times are of the steady clock. Not thread-safe: ChannelGate locks.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>

namespace patchbay {

using SteadyTime = std::chrono::steady_clock::time_point;

/// At most `per_second` starts in any second and no bunches: each start has its own time. 0: no
/// limit.
class Pace {
public:
    explicit Pace(double per_second) : per_second_(per_second) {}

    void set_rate(double per_second) { per_second_ = per_second; }
    /// How many may be taken now so that the last one starts within a tenth of a second. Never less
    /// than the one that is due.
    unsigned available(SteadyTime now, unsigned wanted) const;
    /// The moment from which available() is at least 1.
    SteadyTime next() const { return next_ - claim_ahead; }
    /// Takes one; answers when it may start.
    SteadyTime take(SteadyTime now);

    /// After an outage: 10 % of the rate, doubled every 30 s (G18).
    void restart(SteadyTime now);
    /// The provider asked for less: half of what it was.
    void slow_down(SteadyTime now);
    /// From 0.1 to 1.
    double factor(SteadyTime now) const;

private:
    static constexpr std::chrono::milliseconds claim_ahead{100};
    std::chrono::nanoseconds interval(SteadyTime now) const;
    double per_second_;
    SteadyTime next_{};
    SteadyTime ramp_began_{};
    double ramp_from_ = 1;
};

/// Opens at 20 calls and half of them failed within 60 s, after 5 connection failures in a row, or
/// when the plugin went wrong 5 times within 60 s; then one probe every 30 s.
class Breaker {
public:
    enum class Seen { good, failed, no_connection, plugin_fault };
    /// True: this call closed the breaker again.
    bool record(Seen seen, SteadyTime now);
    bool is_open() const { return open_; }
    /// Closed: always. Open: once every 30 s, for a probe.
    bool allows(SteadyTime now) const { return !open_ || now >= probe_at_; }
    void probe_started(SteadyTime now);
    SteadyTime next_probe() const { return probe_at_; }

private:
    struct Slot {
        int64_t number = -1;
        unsigned calls = 0, failures = 0, faults = 0;
    };
    static constexpr size_t slots = 12;  // of 5 s each
    bool has_failed_too_often(SteadyTime now) const;
    std::array<Slot, slots> window_{};
    unsigned connection_failures_in_a_row_ = 0;
    bool open_ = false;
    SteadyTime probe_at_{};
};

}  // namespace patchbay
