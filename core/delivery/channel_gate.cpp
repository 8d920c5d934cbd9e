#include "delivery/channel_gate.hpp"

#include "base/log.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr auto look_again = 1s;

unsigned with_factor(uint32_t concurrency, double factor) {
    return std::max(1u, static_cast<unsigned>(concurrency * factor));
}

// What the operator allows, and the plugin: 0 there says that it sets no limit.
uint32_t most_at_once(uint32_t configured, uint32_t of_plugin) {
    return of_plugin == 0 ? configured : std::min(configured, of_plugin);
}

std::optional<Breaker::Seen> seen_by_breaker(Verdict verdict) {
    switch (verdict) {
        case Verdict::not_sent:
            return Breaker::Seen::no_connection;
        case Verdict::unknown:
            return Breaker::Seen::failed;
        case Verdict::internal:
            return Breaker::Seen::plugin_fault;
        case Verdict::stopping:
            return std::nullopt;
        default:
            return Breaker::Seen::good;  // It answered, whatever it said.
    }
}

}  // namespace

ChannelGate::ChannelGate(ChannelSettings settings, LeaseSource leases, const Clock& clock,
                         std::shared_ptr<Bulkhead> bulkhead)
    : settings_(std::move(settings)),
      leases_(std::move(leases)),
      clock_(clock),
      bulkhead_(std::move(bulkhead)),
      pace_(settings_.per_second) {}

void ChannelGate::change(uint32_t concurrency, uint32_t per_second) {
    const std::lock_guard lock{mutex_};
    settings_.concurrency = concurrency;
    settings_.per_second = per_second;
    pace_.set_rate(per_second);
}

std::optional<Capabilities> ChannelGate::look_at_plugin() const try {
    const PluginLeasePtr lease = leases_(settings_.instance);
    if (!lease) return std::nullopt;
    return lease->capabilities();
} catch (const std::exception& error) {
    log_warn("delivery", "a channel does not say what it can do",
             {{"channel", settings_.instance}, {"error", error.what()}});
    return std::nullopt;
}

Gate::Answer ChannelGate::may_claim(unsigned free_workers, unsigned busy_workers) {
    const auto capabilities = look_at_plugin();
    const SteadyTime now = clock_.steady();
    const unsigned room = bulkhead_->free_for(settings_.instance, busy_workers);
    const std::lock_guard lock{mutex_};
    if (!paused_.empty() || !capabilities) return {0, now + look_again};
    capabilities_ = *capabilities;
    if (!breaker_.allows(now)) return {0, breaker_.next_probe()};
    if (breaker_.is_open()) {
        return {busy_workers > 0 ? 0u : 1u, now + look_again};
    }
    if (settings_.per_second == 0) pace_.set_rate(capabilities->per_second);
    const uint32_t most = most_at_once(settings_.concurrency, capabilities->max_concurrency);
    const unsigned places = with_factor(most, pace_.factor(now));
    if (busy_workers >= places || room == 0) return {0, now + look_again};
    const unsigned count =
        pace_.available(now, std::min({free_workers, places - busy_workers, room}));
    return {count, pace_.next()};
}

SteadyTime ChannelGate::take() {
    const SteadyTime now = clock_.steady();
    const std::lock_guard lock{mutex_};
    breaker_.probe_started(now);
    bulkhead_->began(settings_.instance);
    return pace_.take(now);
}

void ChannelGate::report(Verdict verdict, std::chrono::milliseconds took) {
    const auto seen = seen_by_breaker(verdict);
    const SteadyTime now = clock_.steady();
    const std::lock_guard lock{mutex_};
    ++counters_.sends[std::string{word(verdict)}];
    counters_.took += took;
    if (!seen) return;
    const bool was_open = breaker_.is_open();
    if (verdict == Verdict::retry_later) pace_.slow_down(now);
    if (breaker_.record(*seen, now)) pace_.restart(now);
    if (was_open == breaker_.is_open()) return;
    log_warn("delivery", was_open ? "a channel works again" : "a channel fails, its sends wait",
             {{"channel", settings_.instance}});
}

void ChannelGate::pause(const std::string& reason) {
    const std::lock_guard lock{mutex_};
    paused_ = reason;
}

void ChannelGate::resume() {
    const std::lock_guard lock{mutex_};
    if (paused_.empty()) return;
    paused_.clear();
    pace_.restart(clock_.steady());
}

std::optional<std::string> ChannelGate::paused() const {
    const std::lock_guard lock{mutex_};
    if (paused_.empty()) return std::nullopt;
    return paused_;
}

bool ChannelGate::is_breaker_open() const {
    const std::lock_guard lock{mutex_};
    return breaker_.is_open();
}

ChannelGate::Counters ChannelGate::counters() const {
    const std::lock_guard lock{mutex_};
    return counters_;
}

Capabilities ChannelGate::capabilities() const {
    const std::lock_guard lock{mutex_};
    return capabilities_;
}

}  // namespace patchbay
