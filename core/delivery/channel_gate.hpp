// Whether and how fast a channel may send now: paused, without its plugin, behind an open breaker,
// or at its pace.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>

#include "base/clock.hpp"
#include "delivery/bulkhead.hpp"
#include "delivery/job_runner.hpp"
#include "delivery/pace.hpp"
#include "delivery/verdict.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

/// nullptr: unknown, disabled or not active. PluginHost::lease, or a stand-in.
using LeaseSource = std::function<PluginLeasePtr(const std::string& instance)>;

struct ChannelSettings {
    std::string instance;
    uint32_t concurrency = 8;
    uint32_t per_second = 0;      ///< 0: what the plugin says, or no limit.
    bool park_when_dead = false;  ///< A dead send closes its lane until staff opens it; otherwise
                                  ///< the next message goes.
};

/// [any thread]
class ChannelGate final : public Gate {
public:
    /// Channels of one hub share a bulkhead.
    ChannelGate(ChannelSettings settings, LeaseSource leases, const Clock& clock,
                std::shared_ptr<Bulkhead> bulkhead = std::make_shared<Bulkhead>());

    Answer may_claim(unsigned free_workers, unsigned busy_workers) override;
    SteadyTime take() override;

    /// Other limits, from the next claim on.
    void change(uint32_t concurrency, uint32_t per_second);
    /// What a call came to and how long it took.
    void report(Verdict verdict, std::chrono::milliseconds took);
    struct Counters {
        std::map<std::string, uint64_t> sends;  ///< By word(Verdict).
        std::chrono::milliseconds took{0};      ///< Of all calls together.
    };
    Counters counters() const;
    void pause(const std::string& reason);
    void resume();  ///< Begins slowly (G18).
    std::optional<std::string> paused() const;
    bool is_breaker_open() const;
    PluginLeasePtr lease() const { return leases_(settings_.instance); }
    /// But for its limits, which change.
    const ChannelSettings& settings() const { return settings_; }
    /// As last seen; the default values before the plugin has been there.
    Capabilities capabilities() const;

private:
    std::optional<Capabilities> look_at_plugin() const;
    ChannelSettings settings_;  // The limits: guarded by mutex_.
    const LeaseSource leases_;
    const Clock& clock_;
    const std::shared_ptr<Bulkhead> bulkhead_;
    mutable std::mutex mutex_;
    Pace pace_;
    Breaker breaker_;
    std::string paused_;
    Capabilities capabilities_;
    Counters counters_;
};

}  // namespace patchbay
