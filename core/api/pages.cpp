#include "api/pages.hpp"

namespace patchbay {
namespace {

constexpr const char* content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";

}  // namespace

Response page(std::string body, const char* type, bool secure) {
    Response response{.status = 200, .body = std::move(body)};
    response.headers = {{"content-type", type},
                        {"content-security-policy", content_policy},
                        {"x-content-type-options", "nosniff"},
                        {"referrer-policy", "no-referrer"},
                        {"cross-origin-opener-policy", "same-origin"},
                        {"cache-control", "no-cache"}};
    if (secure) response.headers["strict-transport-security"] = "max-age=31536000";
    return response;
}

const char* type_of(std::string_view name) {
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    return "text/html; charset=utf-8";
}

bool is_secure(const ExchangePtr& exchange, const ApiContext& context) {
    return exchange->request().secure ||
           context.config()->server.public_url.starts_with("https://");
}

}  // namespace patchbay
