// /api/v1, /health and /metrics: one file per resource, all added to one Router.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/config_control.hpp"
#include "base/metrics.hpp"
#include "config/current_config.hpp"
#include "http/router.hpp"
#include "identity/identity.hpp"
#include "identity/sealer.hpp"
#include "messaging/blob_store.hpp"
#include "messaging/media_links.hpp"
#include "messaging/mint.hpp"
#include "plugins/plugin_host.hpp"
#include "realtime/realtime.hpp"

namespace patchbay {

/// What GET /health/ready says (api-shapes section 9).
struct Readiness {
    std::string status =
        "ready";  ///< ready, starting, stopping, unready; all but the first are 503.
    std::vector<std::string> degraded;
    std::vector<std::pair<std::string, std::string>>
        checks;  ///< store, plugins, spool, disk: a word each
};

/// What the resources need. It must outlive the Router's handlers.
struct ApiContext {
    const CurrentConfig& current_config;
    Store& store;
    Identity& identity;
    Mint mint;
    const Sealer& sealer;
    ConfigControl* config_control = nullptr;  ///< nullptr: no server runs.
    PluginHost* plugins =
        nullptr;  ///< nullptr: the command line works on the store without a server.
    Realtime* realtime = nullptr;  ///< nullptr: no server runs, so nobody listens.
    /// After a commit that queued jobs. [any thread]
    std::function<void(const std::string& queue)> wake = [](const std::string&) {};
    /// Lets a paused channel send again. Empty: no server runs.
    std::function<void(const std::string& channel)> resume{};
    /// After an instance was enabled, disabled or reloaded. Empty: no server runs.
    std::function<void(const std::string& instance)> instance_changed{};
    /// Must not block: it runs on the small control pool. Empty: derived from the store and the
    /// plugins.
    std::function<Readiness()> readiness{};
    /// After a webhook was added, changed or dropped. On the writer's thread, so it must not wait
    /// for it.
    std::function<void()> webhooks_changed{};
    /// What /metrics shows of parts that keep account themselves. Empty: nothing.
    std::function<void(Samples&)> collect_metrics{};
    /// nullptr: files are kept elsewhere, or nowhere.
    const BlobStore* blobs = nullptr;
    const MediaLinks* media_links = nullptr;

    /// As it is now: see CurrentConfig::get().
    ConfigPtr config() const { return current_config.get(); }
    const Clock& clock() const { return store.clock(); }
    TimeMs now() const { return clock().now_ms(); }
    Ids& ids() const { return mint.ids; }
};

/// Adds every route. [before the server starts]
void add_api_routes(Router& router, ApiContext& context);

/// One request without a socket, as the local operator: for the command line when no server runs.
/// Routing, authorisation and errors are the server's own.
Response call_locally(Router& router, ApiContext& context, HttpRequest request);

}  // namespace patchbay
