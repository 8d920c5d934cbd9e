// Takes accepted webhooks to the plugin and its events into the store: one thread per instance, in
// the order of arrival.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "config/hub_config.hpp"
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
    EventRouter(const HubConfig& config, Store& store, PluginHost& plugins, Mint& mint,
                std::string owner, std::function<void(const std::string&)> wake);
    EventRouter(const HubConfig& config, Store& store, const LeaseSource& leases, Mint& mint,
                std::string owner, std::function<void(const std::string&)> wake);
    ~EventRouter();  ///< stop()

    void start();
    void notify(const std::string& instance);  ///< [any thread] There is a new row.
    /// [any thread] Instances to which many webhooks came in the last minute that are for an
    /// account which is not theirs (S49).
    std::vector<std::string> hearing_strangers() const;
    void stop();  ///< Finishes the rows at hand; what is left is routed at the next start.

private:
    class InstanceRouter;
    Store& store_;
    const std::string owner_;
    std::map<std::string, std::unique_ptr<InstanceRouter>> routers_;
};

}  // namespace patchbay
