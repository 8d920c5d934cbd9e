#include "delivery/pace.hpp"

#include <algorithm>
#include <cmath>

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr double slowest = 0.1;
constexpr auto doubling = 30s;
constexpr auto slot_length = 5s;
constexpr auto probe_interval = 30s;
constexpr unsigned least_calls = 20;
constexpr unsigned most_connection_failures = 5;
constexpr unsigned most_faults = 5;

int64_t slot_number(SteadyTime now) { return now.time_since_epoch() / slot_length; }

}  // namespace

unsigned Pace::available(SteadyTime now, unsigned wanted) const {
    if (per_second_ <= 0 || wanted == 0) return wanted;
    const auto free_until = now + claim_ahead;
    if (next_ > free_until) return 0;
    const auto room = free_until - std::max(next_, now);
    return static_cast<unsigned>(std::min<int64_t>(wanted, room / interval(now) + 1));
}

SteadyTime Pace::take(SteadyTime now) {
    if (per_second_ <= 0) return now;
    const SteadyTime start = std::max(next_, now);
    next_ = start + interval(now);
    return start;
}

void Pace::restart(SteadyTime now) {
    ramp_from_ = slowest;
    ramp_began_ = now;
}

void Pace::slow_down(SteadyTime now) {
    ramp_from_ = std::max(slowest, factor(now) / 2);
    ramp_began_ = now;
}

double Pace::factor(SteadyTime now) const {
    if (ramp_from_ >= 1) return 1;
    const std::chrono::duration<double> since = now - ramp_began_;
    return std::min(1.0, ramp_from_ * std::exp2(std::floor(since / doubling)));
}

std::chrono::nanoseconds Pace::interval(SteadyTime now) const {
    const std::chrono::duration<double> one{1 / (per_second_ * factor(now))};
    return std::chrono::duration_cast<std::chrono::nanoseconds>(one);
}

bool Breaker::record(Seen seen, SteadyTime now) {
    const bool was_open = open_;
    if (seen == Seen::good && was_open) {
        *this = Breaker{};
        return true;
    }
    const int64_t number = slot_number(now);
    Slot& slot = window_[static_cast<size_t>(number) % slots];
    if (slot.number != number) slot = {number, 0, 0, 0};
    ++slot.calls;
    if (seen != Seen::good) ++slot.failures;
    if (seen == Seen::plugin_fault) ++slot.faults;
    connection_failures_in_a_row_ =
        seen == Seen::no_connection ? connection_failures_in_a_row_ + 1 : 0;
    if (!was_open &&
        (has_failed_too_often(now) || connection_failures_in_a_row_ >= most_connection_failures)) {
        open_ = true;
        probe_at_ = now + probe_interval;
    }
    return false;
}

void Breaker::probe_started(SteadyTime now) {
    if (open_) probe_at_ = now + probe_interval;
}

bool Breaker::has_failed_too_often(SteadyTime now) const {
    unsigned calls = 0, failures = 0, faults = 0;
    const int64_t oldest = slot_number(now) - static_cast<int64_t>(slots) + 1;
    for (const Slot& slot : window_) {
        if (slot.number < oldest) continue;
        calls += slot.calls;
        failures += slot.failures;
        faults += slot.faults;
    }
    return faults >= most_faults || (calls >= least_calls && failures * 2 >= calls);
}

}  // namespace patchbay
