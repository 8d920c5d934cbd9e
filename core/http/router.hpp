// The route table. Fixed routes are added at start; plugins' routes are replaced as a whole when a
// plugin starts or stops.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"

namespace patchbay {

struct RouteMatch {
    std::shared_ptr<const RouteEntry>
        route;  ///< Empty: no such path, or the method is not in `allowed`.
    std::map<std::string, std::string> params;
    std::vector<std::string>
        allowed;                 ///< Methods of the path, for 405 and OPTIONS; empty: unknown path.
    bool problem_bodies = true;  ///< false when the route, or any of this path, says so.

    /// Errors for `path` have no body: it is a provider's, or would be one under /hooks/.
    bool empty_errors(std::string_view path) const;
};

/// A route that could not be had.
struct TakenRoute {
    std::string method, path, owner;  ///< Empty owner: a fixed route.
};

/// A literal segment beats a {parameter}; among equals the method decides. [any thread]
class Router {
public:
    Router();
    /// Throws Error(conflict) when method and path are taken, std::logic_error for a path that is
    /// none.
    void add(RouteSpec spec, Handler handler);
    /// Replaces all routes registered under `owner` (a plugin instance) at once; an empty list
    /// removes them. Throws Error(conflict) when another owner has one of the paths, and changes
    /// nothing then.
    void replace(const std::string& owner, std::vector<RouteEntry> routes);
    /// The same, but leaves out what another owner has, and tells it.
    std::vector<TakenRoute> replace_free(const std::string& owner, std::vector<RouteEntry> routes);
    RouteMatch find(std::string_view method, std::string_view path) const;
    std::vector<RouteSpec> all() const;

private:
    struct Table;
    using Owned = std::map<std::string, std::vector<std::shared_ptr<const RouteEntry>>>;
    std::shared_ptr<const Table> table() const;
    static std::optional<std::string> owner_of(const Owned& routes, const RouteSpec& wanted);
    void publish(Owned routes);
    mutable std::shared_mutex mutex_;
    std::mutex change_;  // One change at a time; readers go on with the old table meanwhile.
    std::shared_ptr<const Table> table_;
    Owned routes_;
};

}  // namespace patchbay
