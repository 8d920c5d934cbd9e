#include "http/cors.hpp"

#include <algorithm>

namespace patchbay {
namespace {

constexpr const char* request_headers =
    "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-CSRF-Token, X-Request-Id, "
    "traceparent";
constexpr const char* shown_headers =
    "Idempotent-Replayed, Link, Location, Retry-After, WWW-Authenticate, X-Request-Id, "
    "X-Total-Count";

bool is_api(std::string_view path) {
    return path.starts_with("/api/") || path.starts_with("/health/");
}

/// Compared as a whole: no pattern, no suffix. "null" is what sandboxed pages of anybody send.
bool is_allowed(const std::vector<std::string>& origins, std::string_view origin) {
    return origin != "null" && std::find(origins.begin(), origins.end(), origin) != origins.end();
}

void add_vary(Response& response, const std::string& names) {
    std::string& vary = response.headers["vary"];
    vary += (vary.empty() ? "" : ", ") + names;
}

void allow(Response& response, const std::string& origin, bool is_preflight) {
    response.headers["access-control-allow-origin"] = origin;
    response.headers["access-control-allow-credentials"] = "true";
    if (!is_preflight) {
        response.headers["access-control-expose-headers"] = shown_headers;
        return;
    }
    response.headers["access-control-allow-methods"] = response.headers["allow"];
    response.headers["access-control-allow-headers"] = request_headers;
    response.headers["access-control-max-age"] = "600";
    add_vary(response, "Access-Control-Request-Method, Access-Control-Request-Headers");
}

}  // namespace

Stage allow_origins(CorsOrigins origins) {
    return [origins = std::move(origins)](const ExchangePtr& exchange, const Next& next) {
        const HttpRequest& request = exchange->request();
        const auto allowed = is_api(request.path) ? origins() : nullptr;
        if (allowed && !allowed->empty()) {
            const auto sent = request.header("Origin");
            const std::string origin{sent && is_allowed(*allowed, *sent) ? *sent : ""};
            const bool is_preflight =
                request.method == "OPTIONS" && request.header("Access-Control-Request-Method");
            exchange->before_answer([origin, is_preflight](Response& response) {
                // Also where the origin is not allowed: a cache must not give that answer to one
                // that is.
                add_vary(response, "Origin");
                if (!origin.empty())
                    allow(response, origin, is_preflight && response.status == 204);
            });
        }
        next(exchange);
    };
}

}  // namespace patchbay
