// timers/1 and tasks/1: what a plugin wants to be called for later, on threads of the hub.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "http/fair_pool.hpp"
#include "plugins/host_services.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

/// A generation's timers and tasks begin when it becomes the one that serves, and end when it does
/// not any more: what it set up in its constructor waits until then. Nothing of it outlives the
/// process; what must not be lost is a job. [any thread]
class PluginTimers {
public:
    using Leases = std::function<PluginLeasePtr(const std::string& instance)>;
    PluginTimers(const Clock& clock, Leases leases);
    ~PluginTimers();  ///< stop()

    void start();  ///< The thread that looks at the clock.
    /// Nothing begins any more; waits for calls under way. Idempotent.
    void stop();

    /// Throws Error(request) for a period under 100 ms, Error(rate_limited) for more than 1,000
    /// timers of one instance.
    uint64_t every(const ServiceCaller& caller, std::chrono::milliseconds period,
                   const std::string& name);
    uint64_t after(const ServiceCaller& caller, std::chrono::milliseconds delay,
                   const std::string& name, const std::string& payload);
    /// Of this instance; one that is over is no mistake.
    void cancel(const ServiceCaller& caller, uint64_t number);
    /// Throws Error(rate_limited) when too many tasks of the instance wait.
    void post(const ServiceCaller& caller, const std::string& name, const std::string& payload);

    /// For PluginHost::LifeWatch: short, calls no plugin.
    void switched(const std::string& instance, int64_t generation);
    /// Rings what is due by the clock. The thread does it; a test with a clock of its own calls it.
    void look_at_clock();
    bool is_idle() const;  ///< No call is under way or waits.

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Timer {
        std::string instance, name, payload;
        int64_t generation = 0;
        std::chrono::milliseconds delay{0}, period{0};  // No period: it rings once.
        bool armed = false;
        Time due{};
    };
    struct Task {
        std::string name, payload;
        int64_t generation = 0;
    };
    struct Instance {
        int64_t generation = 0;  // That serves now.
        size_t timers = 0;
        std::set<std::string> ringing;  // Names: never two at once, over generations too.
        std::vector<Task> waiting;      // Of a generation that does not serve yet.
    };

    uint64_t add(const ServiceCaller& caller, Timer timer);
    void erase(std::map<uint64_t, Timer>::iterator timer);
    bool ring(const Timer& timer);
    bool begin(const std::string& instance, Task task);
    void watch_clock();
    Time next_due() const;

    const Clock& clock_;
    const Leases leases_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<uint64_t, Timer> timers_;
    std::map<std::string, Instance> instances_;
    uint64_t last_number_ = 0;
    size_t under_way_ = 0;
    bool stopping_ = false;
    FairPool pool_;
    std::thread thread_;  ///< Last: it uses everything above.
};

void register_timer_service(HostServices& services, PluginTimers& timers);

}  // namespace patchbay
