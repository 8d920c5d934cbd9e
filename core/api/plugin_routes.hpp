// Routes that plugins answer themselves (http/1): the paths of the replaced back ends, with the
// hub's sign-in and limits in front of them.
#pragma once
#include <string>

#include "http/router.hpp"
#include "http/worker_pool.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

/// Such an answer may wait up to 30 s for a provider, so it has threads of its own: a slow provider
/// never holds a worker of the hub's API.
class PluginRoutes {
public:
    PluginRoutes(PluginHost& plugins, Router& router);

    /// Publishes the routes of one active instance, replacing what it had.
    void publish(const std::string& instance);
    void withdraw(const std::string& instance);
    void stop() { pool_.stop(); }

private:
    RouteEntry entry_for(const std::string& instance, const ApiRoute& route);
    PluginHost& plugins_;
    Router& router_;
    WorkerPool pool_;
};

}  // namespace patchbay
