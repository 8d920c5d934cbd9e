#include "http/router.hpp"

#include <algorithm>
#include <optional>

namespace patchbay {
namespace {

using Segments = std::vector<std::string_view>;

Segments split(std::string_view path) {
    Segments segments;
    segments.reserve(8);
    if (path.starts_with('/')) path.remove_prefix(1);
    if (path.ends_with('/')) path.remove_suffix(1);
    while (!path.empty()) {
        const size_t slash = std::min(path.find('/'), path.size());
        segments.push_back(path.substr(0, slash));
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return segments;
}

bool is_parameter(std::string_view segment) {
    return segment.starts_with('{') && segment.ends_with('}');
}
bool takes_rest(std::string_view segment) { return segment.ends_with("...}"); }

std::string parameter_name(std::string_view segment) {
    return std::string(segment.substr(1, segment.size() - (takes_rest(segment) ? 5 : 2)));
}

void check_path(const std::string& path) {
    if (!path.starts_with('/'))
        throw std::logic_error("route path \"" + path + "\" does not begin with a slash");
    const Segments segments = split(path);
    for (const std::string_view& segment : segments)
        if (takes_rest(segment) && &segment != &segments.back())
            throw std::logic_error("route path \"" + path +
                                   "\": only the last segment can take the rest");
}

struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter, rest;
    std::vector<std::shared_ptr<const RouteEntry>> routes;

    Node& child(std::string_view segment) {
        auto& place = takes_rest(segment) && is_parameter(segment) ? rest
                      : is_parameter(segment)                      ? parameter
                                                                   : literals[std::string(segment)];
        if (!place) place = std::make_unique<Node>();
        return *place;
    }
};

// Walks all nodes that a path can mean, the most literal first, until one has the method.
struct Search {
    std::string_view method;
    const Segments& path;
    std::shared_ptr<const RouteEntry> found{};
    std::vector<std::string> allowed{};
    bool problem_bodies = true;

    void visit(const Node& node, size_t depth) {
        if (depth == path.size()) return look_at(node);
        if (path[depth].empty()) return;  // Never a value.
        const auto literal = node.literals.find(path[depth]);
        if (literal != node.literals.end()) visit(*literal->second, depth + 1);
        if (!found && node.parameter) visit(*node.parameter, depth + 1);
        if (!found && node.rest) look_at(*node.rest);
    }

    void look_at(const Node& node) {
        for (const auto& route : node.routes) {
            if (route->spec.method == method) found = route;
            problem_bodies = problem_bodies && route->spec.problem_bodies;
            allowed.push_back(route->spec.method);
        }
    }
};

std::map<std::string, std::string> parameters_of(const RouteEntry& route, std::string_view whole,
                                                 const Segments& path) {
    std::map<std::string, std::string> params;
    if (route.spec.path.find('{') == std::string::npos) return params;
    const Segments pattern = split(route.spec.path);
    for (size_t i = 0; i < pattern.size(); ++i) {
        if (!is_parameter(pattern[i])) continue;
        const auto from = static_cast<size_t>(path[i].data() - whole.data());
        const std::string_view value = takes_rest(pattern[i]) ? whole.substr(from) : path[i];
        params.emplace(parameter_name(pattern[i]), value);
    }
    return params;
}

}  // namespace

struct Router::Table {
    Node root;
    std::vector<std::shared_ptr<const RouteEntry>> all;

    void add(const std::shared_ptr<const RouteEntry>& route) {
        Node* node = &root;
        for (const std::string_view segment : split(route->spec.path)) node = &node->child(segment);
        for (const auto& other : node->routes)
            if (other->spec.method == route->spec.method)
                throw Error(ErrorKind::conflict, route->spec.method + " " + route->spec.path +
                                                     " is taken by route " + other->spec.name);
        node->routes.push_back(route);
        all.push_back(route);
    }
};

bool RouteMatch::empty_errors(std::string_view path) const {
    if (route) return !route->spec.problem_bodies;
    return allowed.empty() ? path.starts_with("/hooks/") : !problem_bodies;
}

Router::Router() : table_(std::make_shared<const Table>()) {}

std::shared_ptr<const Router::Table> Router::table() const {
    const std::shared_lock lock(mutex_);
    return table_;
}

void Router::publish(Owned routes) {
    auto table = std::make_shared<Table>();
    for (const auto& [owner, entries] : routes)
        for (const auto& entry : entries) table->add(entry);
    const std::unique_lock lock(mutex_);
    table_ = std::move(table);
    routes_ = std::move(routes);
}

void Router::add(RouteSpec spec, Handler handler) {
    check_path(spec.path);
    const std::lock_guard change(change_);
    Owned routes = routes_;
    routes[""].push_back(
        std::make_shared<const RouteEntry>(RouteEntry{std::move(spec), std::move(handler)}));
    publish(std::move(routes));
}

void Router::replace(const std::string& owner, std::vector<RouteEntry> entries) {
    const std::lock_guard change(change_);
    Owned routes = routes_;
    routes.erase(owner);
    for (RouteEntry& entry : entries) {
        check_path(entry.spec.path);
        routes[owner].push_back(std::make_shared<const RouteEntry>(std::move(entry)));
    }
    publish(std::move(routes));
}

std::optional<std::string> Router::owner_of(const Owned& routes, const RouteSpec& wanted) {
    for (const auto& [owner, entries] : routes) {
        for (const auto& entry : entries) {
            const bool same = entry->spec.method == wanted.method &&
                              split(entry->spec.path) == split(wanted.path);
            if (same) return owner;
        }
    }
    return std::nullopt;
}

std::vector<TakenRoute> Router::replace_free(const std::string& owner,
                                             std::vector<RouteEntry> entries) {
    const std::lock_guard change(change_);
    Owned routes = routes_;
    routes.erase(owner);
    std::vector<TakenRoute> left_out;
    for (RouteEntry& entry : entries) {
        check_path(entry.spec.path);
        if (const auto other = owner_of(routes, entry.spec)) {
            left_out.push_back({entry.spec.method, entry.spec.path, *other});
        } else {
            routes[owner].push_back(std::make_shared<const RouteEntry>(std::move(entry)));
        }
    }
    publish(std::move(routes));
    return left_out;
}

RouteMatch Router::find(std::string_view method, std::string_view path) const {
    const auto now = table();
    const Segments segments = split(path);
    Search search{method, segments};
    search.visit(now->root, 0);
    if (!search.found && method == "HEAD") {
        search.method = "GET";
        search.allowed.clear();
        search.visit(now->root, 0);
    }
    RouteMatch match{.route = std::move(search.found),
                     .params = {},
                     .allowed = std::move(search.allowed),
                     .problem_bodies = search.problem_bodies};
    if (match.route) {
        std::string_view whole = path;
        if (whole.ends_with('/')) whole.remove_suffix(1);
        match.params = parameters_of(*match.route, whole, segments);
        return match;
    }
    if (match.allowed.empty()) return match;
    if (std::ranges::find(match.allowed, "GET") != match.allowed.end())
        match.allowed.push_back("HEAD");
    match.allowed.push_back("OPTIONS");
    std::ranges::sort(match.allowed);
    // std::ranges::unique of this library does not compile under clang 14.
    match.allowed.erase(std::unique(match.allowed.begin(), match.allowed.end()),
                        match.allowed.end());
    return match;
}

std::vector<RouteSpec> Router::all() const {
    std::vector<RouteSpec> specs;
    for (const auto& route : table()->all) specs.push_back(route->spec);
    return specs;
}

}  // namespace patchbay
