// Which pages may act with a browser's cookie (S6A).
#pragma once
#include <string>
#include <string_view>

#include "config/current_config.hpp"
#include "http/exchange.hpp"

namespace patchbay {

/// The origins whose pages act for the people who sign in: public_url's and cors_origins. [any
/// thread]
class OwnPages {
public:
    explicit OwnPages(const CurrentConfig& config) : config_(config) {}

    /// Whole origins only: no suffix matches, no "null".
    bool admits(std::string_view origin) const;

    /// Throws Problem csrf_refused unless the browser says that a page of ours sent this request:
    /// Sec-Fetch-Site: same-origin, or an Origin of the list. For what comes with the cookie and
    /// changes something or becomes a socket.
    void require(const HttpRequest& request) const;

private:
    const CurrentConfig& config_;
};

/// With the cookie a route that takes JSON takes nothing else, a body of no bytes included: a
/// foreign page's form can send other types. Throws Problem csrf_refused.
void require_json_type(const HttpRequest& request, BodyKind kind);

}  // namespace patchbay
