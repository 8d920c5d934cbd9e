// GET /docs: the description as pages, offline; /docs/errors/{code}: what a problem's type leads to
#include "api/embedded_files.hpp"
#include "api/error_pages.hpp"
#include "api/pages.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"

namespace patchbay {
namespace {

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
