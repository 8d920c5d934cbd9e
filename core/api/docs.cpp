// GET /docs: the description as pages, offline; /docs/errors/{code}: what a problem's type leads to
#include "api/embedded_files.hpp"
#include "api/error_pages.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"

namespace patchbay {
namespace {

/// S6C. Scripts and styles only from files of the hub's own: nothing inline.
constexpr const char* content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";

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

/// HTTPS as the browser sees it: ours, or that of the proxy in front.
bool is_secure(const ExchangePtr& exchange, const ApiContext& context) {
    return exchange->request().secure || context.config.server.public_url.starts_with("https://");
}

void viewer(const ExchangePtr& exchange, const ApiContext& context, const std::string& name) {
    const auto text = find_embedded("docs_viewer/" + name);
    if (!text) throw Problem("unknown_path");
    exchange->answer(page(std::string(*text), type_of(name), is_secure(exchange, context)));
}

void error_page(const ExchangePtr& exchange, const ApiContext& context) {
    auto html = find_error_page(exchange->params.at("code"));
    if (!html) throw Problem("unknown_path", "There is no such error code.");
    exchange->answer(page(std::move(*html), type_of(".html"), is_secure(exchange, context)));
}

}  // namespace

void add_docs_routes(Router& router, ApiContext& context) {
    const auto add = [&](const char* name, const char* path, const char* about, Handler handler) {
        router.add(
            {.name = name, .method = "GET", .path = path, .roles = roles::everyone, .about = about},
            std::move(handler));
    };
    add("docs.page", "/docs", "The API to read and to try.",
        [&](const ExchangePtr& exchange) { viewer(exchange, context, "index.html"); });
    add("docs.file", "/docs/{file}", "Its script and its style.", [&](const ExchangePtr& exchange) {
        viewer(exchange, context, exchange->params.at("file"));
    });
    add("docs.errors", "/docs/errors", "All error codes.", [&](const ExchangePtr& exchange) {
        exchange->answer(page(error_index(), type_of(".html"), is_secure(exchange, context)));
    });
    add("docs.error", "/docs/errors/{code}", "What an error code means and what to do.",
        [&](const ExchangePtr& exchange) { error_page(exchange, context); });
}

}  // namespace patchbay
