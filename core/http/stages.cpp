#include "http/stages.hpp"

#include "http/problem.hpp"
#include "http/query.hpp"

namespace patchbay {
namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

// Charset is the one parameter that could change what the bytes mean.
bool is_utf8_text(std::string_view content_type) {
    const std::string lower = ascii_lower(content_type);
    const size_t at = lower.find("charset=");
    if (at == std::string::npos) return true;
    std::string_view charset = std::string_view(lower).substr(at + 8);
    if (charset.starts_with('"')) charset.remove_prefix(1);
    return charset.starts_with("utf-8") || charset.starts_with("us-ascii");
}

void require_type(BodyKind kind, const HttpRequest& request) {
    const std::string type(media_type(kind));
    if (type.empty()) return;
    if (request.content_type() != type)
        throw Problem("unsupported_media_type", "The body must be " + type + ".");
    if (!is_utf8_text(*request.header("Content-Type")))
        throw Problem("unsupported_media_type", "The body must be in UTF-8.");
}

}  // namespace

std::string_view media_type(BodyKind kind) {
    switch (kind) {
        case BodyKind::json:
            return "application/json";
        case BodyKind::form:
            return "application/x-www-form-urlencoded";
        case BodyKind::multipart:
            return "multipart/form-data";
        case BodyKind::none:
        case BodyKind::any:
            break;
    }
    return "";
}

void answer_errors(const ExchangePtr& exchange, const Next& next) {
    answering_errors(exchange, [&] { next(exchange); });
}

Stage find_route(Router& router) {
    return [&router](const ExchangePtr& exchange, const Next& next) {
        const HttpRequest& request = exchange->request();
        RouteMatch match = router.find(request.method, request.path);
        exchange->empty_errors = match.empty_errors(request.path);
        if (match.route) {
            exchange->route = std::move(match.route);
            exchange->params = std::move(match.params);
            if (exchange->route->spec.socket) require_handshake(request);
            return next(exchange);
        }
        if (match.allowed.empty()) throw Problem("unknown_path");
        const std::string allow = joined(match.allowed);
        if (request.method != "OPTIONS")
            throw Problem("method_not_allowed", "The path takes " + allow + ".")
                .header("Allow", allow);
        exchange->answer({.status = 204, .headers = {{"allow", allow}}});
    };
}

void check_body(const ExchangePtr& exchange, const Next& next) {
    const HttpRequest& request = exchange->request();
    if (!request.body.empty()) {
        const BodyKind kind = exchange->route->spec.body;
        if (kind != BodyKind::none && request.count("Content-Encoding") > 0)
            throw Problem("unsupported_media_type", "A body with Content-Encoding is not taken.");
        require_type(kind, request);
    }
    next(exchange);
}

void check_query(const ExchangePtr& exchange, const Next& next) {
    const RouteSpec& route = exchange->route->spec;
    if (!route.answers.empty() && route.path.starts_with("/api/v1/")) {
        std::vector<std::string_view> known;
        for (const QueryKey& key : route.query) known.push_back(key.name);
        Query::parse(exchange->request().query).require_known(known);
    }
    next(exchange);
}

void dispatch(const ExchangePtr& exchange, const Next& next) {
    const RunsOn where = exchange->route->spec.runs_on;
    if (where == RunsOn::reactor) return next(exchange);
    if (!exchange->post(where, [exchange, next] { next(exchange); })) throw Problem("busy");
}

}  // namespace patchbay
