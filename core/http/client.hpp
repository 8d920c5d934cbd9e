// Outbound HTTP(S): libcurl, connections kept and shared by all plugins. [any thread]
#pragma once
#include <chrono>
#include <memory>
#include <patchbay/sdk.hpp>
#include <string>

namespace patchbay {

struct HttpClientLimits {
    std::chrono::milliseconds connect_timeout{5000}, first_byte_timeout{10'000};
    /// A kept connection that was idle longer is not used again: most providers close theirs after
    /// a minute, and a request that meets the closing has an unknown outcome.
    std::chrono::seconds idle_connection{30};
    size_t max_body_bytes = 1 << 20;  ///< Of an answer; HttpOptions may ask for less.
    size_t max_header_bytes = 32 << 10;
    std::string unix_socket;  ///< Not empty: every call goes to this socket, whatever host its URL
                              ///< names (the control socket).
    std::string ca_file;      ///< Certificates to trust instead of the system's.
    bool public_only =
        false;  ///< For URLs that come from data: https on port 443 only, and no address of S50.
    bool allow_loopback = false;  ///< With public_only: also http(s) to this machine, any port.
};

class HttpClient {
public:
    explicit HttpClient(HttpClientLimits limits = {});
    ~HttpClient();

    /// `request.url` absolute, `method` default GET. Blocks the caller for `options.timeout` at
    /// most, connecting included. Redirects are not followed (S52), bodies not decompressed (S53),
    /// TLS 1.2+ with host check (S54). Names of the answer's headers are in lower case; values of a
    /// repeated one are joined with ", ". Throws ConnectionFailed(request_left) when no complete
    /// answer came: request_left is false only when not one byte of the request was written. The
    /// request is never sent twice, except a GET or HEAD, or one with options.idempotent, that met
    /// a kept connection at its end. Throws Error(request) for a URL or header that is none,
    /// Error(forbidden) for an address that public_only refuses. options.retries are not done here.
    Response call(const Request& request, const HttpOptions& options);

    /// Cuts every call under way with ConnectionFailed and refuses new ones (used at stop).
    /// Idempotent.
    void stop();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay
