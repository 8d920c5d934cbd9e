#include "identity/own_pages.hpp"

#include <algorithm>
#include <patchbay/text.hpp>

#include "http/problem.hpp"

namespace patchbay {
namespace {

Problem foreign_page() {
    return Problem("csrf_refused",
                   "A request with the session's cookie must come from a page of this hub.");
}

/// "https://Hub.example:443/x" -> "https://hub.example", as browsers write it.
std::string origin_of(std::string_view url) {
    const size_t scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) return {};
    const std::string scheme = ascii_lower(url.substr(0, scheme_end));
    std::string_view host = url.substr(scheme_end + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    if (const size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
    const std::string_view port = scheme == "https" ? ":443" : ":80";
    if (host.ends_with(port)) host.remove_suffix(port.size());
    return scheme + "://" + ascii_lower(host);
}

}  // namespace

bool OwnPages::admits(std::string_view origin) const {
    if (origin.empty()) return false;
    const ConfigPtr config = config_.get();
    const auto& others = config->server.cors_origins;
    return origin == origin_of(config->server.public_url) ||
           std::ranges::any_of(others, [&](const auto& one) { return origin == origin_of(one); });
}

void OwnPages::require(const HttpRequest& request) const {
    if (request.count("Origin") > 1 || request.count("Sec-Fetch-Site") > 1) throw foreign_page();
    const auto origin = request.header("Origin");
    if (origin && admits(*origin)) return;
    // Scripts cannot set it, and every browser of today sends it where cookies are Secure.
    if (request.header("Sec-Fetch-Site") == "same-origin") return;
    throw foreign_page();
}

void require_json_type(const HttpRequest& request, BodyKind kind) {
    if (kind != BodyKind::json && kind != BodyKind::none) return;
    const bool says_nothing = request.body.empty() && request.count("Content-Type") == 0;
    if (!says_nothing && request.content_type() != "application/json") throw foreign_page();
}

}  // namespace patchbay
