// Fetches what providers held for us while we were away: most of them do not repeat a webhook that
// found nobody (guarantees section 2).
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/replaceable_thread.hpp"
#include "config/current_config.hpp"
#include "inbound/event_pipeline.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

/// Keeps `channel_state.last_seen_at` of every channel whose plugin can list, and asks it for what
/// came since then less 5 min: once after every start, and after the hub was frozen, could not
/// write or had the instance off for over 60 s. What it lists takes the way of a webhook, dedupe
/// included (G3). A channel that has never been seen has no gap.
class GapFill {
public:
    using LeaseSource = std::function<PluginLeasePtr(const std::string& instance)>;

    /// `wake(queue)` is called after a commit that enqueued jobs there.
    GapFill(const CurrentConfig& config, Store& store, LeaseSource leases, Mint& mint,
            std::function<void(const std::string&)> wake);
    ~GapFill();  ///< stop()

    /// One thread from here on, which looks every 10 s.
    void start();
    /// Waits for a list that is under way: end its HTTP calls first.
    void stop();

    /// One look at every channel. [one thread at a time]
    void step();

private:
    struct Progress {
        bool filled = false;  ///< Since this process started.
        TimeMs again_at = 0;  ///< A list that failed is tried again then.
        unsigned failures = 0;
    };
    void look_at(const InstanceConfig& instance, TimeMs seen, TimeMs now);
    void note_failure(const std::string& instance, const char* why);
    void fill(const InstanceConfig& instance, PluginLease& plugin, TimeMs since);
    bool take_in(const InstanceConfig& instance, const Event& event);
    void run();

    const CurrentConfig& config_;
    Store& store_;
    const LeaseSource leases_;
    EventPipeline pipeline_;
    const std::function<void(const std::string&)> wake_;
    std::map<std::string, Progress> progress_;

    std::mutex mutex_;
    std::condition_variable stop_asked_;
    bool stopping_ = false;
    ReplaceableThread thread_;
};

}  // namespace patchbay
