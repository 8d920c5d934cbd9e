// Takes accepted webhooks to the plugin and its events into the store: one thread per instance, in
// the order of arrival.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "config/current_config.hpp"
#include "delivery/channel_gate.hpp"
#include "inbound/event_pipeline.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

/// One router per instance makes the order per contact the order of commit; a slow plugin holds up
/// its own webhooks only. Routing is background to the writer: while webhooks come faster than they
/// can be routed, it lags behind in the database, and goes first before a row is a minute old (G2).
class EventRouter {
public:
    /// `wake(queue)` is called after a commit that enqueued jobs there, on the writer thread:
    /// short.
    EventRouter(const CurrentConfig& config, Store& store, PluginHost& plugins, Mint& mint,
                std::string owner, std::function<void(const std::string&)> wake);
    EventRouter(const CurrentConfig& config, Store& store, const LeaseSource& leases, Mint& mint,
                std::string owner, std::function<void(const std::string&)> wake);
    ~EventRouter();  ///< stop()

    void start();
    /// Before the configuration is replaced by `next`: finishes the rows at hand of the instances
    /// that it has no more. Their other rows wait until they come back. [one thread at a time]
    void end_others(const HubConfig& next);
    /// After it was replaced: begins with the instances that are new. [one thread at a time]
    void follow();
    void notify(const std::string& instance);  ///< [any thread] There is a new row.
    /// [any thread] Instances to which many webhooks came in the last minute that are for an
    /// account which is not theirs (S49).
    std::vector<std::string> hearing_strangers() const;
    void stop();  ///< Finishes the rows at hand; what is left is routed at the next start.

private:
    class InstanceRouter;
    using Routers = std::map<std::string, std::shared_ptr<InstanceRouter>>;
    std::shared_ptr<InstanceRouter> make(const std::string& instance);
    Routers routers() const;

    const CurrentConfig& config_;
    Store& store_;
    const LeaseSource leases_;
    Mint& mint_;
    const std::string owner_;
    const std::function<void(const std::string&)> wake_;
    mutable std::shared_mutex mutex_;  // Of what follows.
    Routers routers_;
    bool started_ = false, stopped_ = false;
};

}  // namespace patchbay
