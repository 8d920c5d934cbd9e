#include "http/url_reach.hpp"

#include <curl/curl.h>

#include <memory>
#include <optional>

#include "http/peer.hpp"

namespace patchbay {
namespace {

class UrlParts {
public:
    explicit UrlParts(const std::string& url) : parsed_(curl_url(), curl_url_cleanup) {
        is_url_ =
            parsed_ && curl_url_set(parsed_.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
    }
    bool is_url() const { return is_url_; }
    std::string get(CURLUPart which) const {
        char* text = nullptr;
        const bool there =
            curl_url_get(parsed_.get(), which, &text, CURLU_DEFAULT_PORT) == CURLUE_OK;
        std::string copy = there ? text : "";
        curl_free(text);
        return copy;
    }

private:
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed_;
    bool is_url_ = false;
};

// libcurl has made 127.0.0.1 of 127.1 and 0x7f000001 by now; a last dot means the same host.
std::optional<PeerAddress> written_address(std::string host) {
    if (host.ends_with('.')) host.pop_back();
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return PeerAddress::parse(host);
}

}  // namespace

UrlReach reach_of(const std::string& url, bool allow_loopback) {
    const UrlParts parts(url);
    if (!parts.is_url() || !parts.get(CURLUPART_USER).empty() ||
        !parts.get(CURLUPART_PASSWORD).empty()) {
        return UrlReach::refused;
    }
    const std::string scheme = parts.get(CURLUPART_SCHEME);
    const std::string host = parts.get(CURLUPART_HOST);
    const auto address = written_address(host);
    if (host == "localhost" || (address && address->is_loopback())) {
        const bool is_http = scheme == "http" || scheme == "https";
        return allow_loopback && is_http ? UrlReach::loopback : UrlReach::refused;
    }
    if (scheme != "https" || parts.get(CURLUPART_PORT) != "443") return UrlReach::refused;
    if (address && !is_public(*address)) return UrlReach::refused;
    return UrlReach::open_net;
}

}  // namespace patchbay
