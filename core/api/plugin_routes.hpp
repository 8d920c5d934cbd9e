// Routes that plugins answer themselves (http/1): the paths of the replaced back ends, with the
// hub's sign-in and limits in front of them.
#pragma once
#include <string>

#include "http/fair_pool.hpp"
#include "http/router.hpp"
#include "plugins/plugin_host.hpp"
#include "store/store.hpp"

namespace patchbay {

/// Such an answer may wait up to 30 s for a provider, so it has threads of its own: a slow provider
/// never holds a worker of the hub's API, nor more than half of these.
class PluginRoutes {
public:
    PluginRoutes(Store& store, PluginHost& plugins, Router& router);

    /// Publishes the routes of one instance, replacing what it had. While it does not run they are
    /// answered with 503. A path that another instance has already is left out: of several
    /// instances of one plugin the first in the file has its paths. The answer tells them.
    std::vector<TakenRoute> publish(const std::string& instance);
    void withdraw(const std::string& instance);
    void stop() { pool_.stop(); }

private:
    RouteEntry entry_for(const std::string& instance, const ApiRoute& route);
    void answer(const ExchangePtr& exchange, const std::string& instance, const ApiRoute& route);
    Store& store_;
    PluginHost& plugins_;
    Router& router_;
    FairPool pool_;
};

}  // namespace patchbay
