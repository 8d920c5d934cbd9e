// The route table. Fixed routes are added at start; plugins' routes are replaced as a whole when a plugin starts or stops.
#pragma once
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "http/exchange.hpp"

namespace patchbay {

struct RouteMatch {
    std::shared_ptr<const RouteEntry> route;  ///< Empty: no such path, or the method is not in `allowed`.
    std::map<std::string, std::string> params;
    std::vector<std::string> allowed;  ///< Methods of the path, for 405 and OPTIONS; empty: unknown path.
};

/// [any thread]
class Router {
public:
    void add(RouteSpec spec, Handler handler);
    /// Replaces all routes registered under `owner` (a plugin instance) at once.
    void replace(const std::string& owner, std::vector<RouteEntry> routes);
    RouteMatch find(std::string_view method, std::string_view path) const;
    std::vector<RouteSpec> all() const;

private:
    struct Table;
    std::shared_ptr<const Table> table() const;
    mutable std::shared_mutex mutex_;
    std::shared_ptr<const Table> table_;
};

}  // namespace patchbay
