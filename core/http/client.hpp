// Outbound HTTP(S): libcurl, connections kept and shared by all plugins. [any thread]
#pragma once
#include <chrono>
#include <memory>
#include <patchbay/sdk.hpp>
#include <string>

namespace patchbay {

struct HttpClientLimits {
    std::chrono::milliseconds connect_timeout{5000}, first_byte_timeout{10000};
    size_t max_body_bytes = 1 << 20, max_header_bytes = 32 << 10;
};

class HttpClient {
public:
    explicit HttpClient(HttpClientLimits limits = {});
    ~HttpClient();

    /// `request.url` absolute, `method` default GET. Blocks the caller for `options.timeout` at
    /// most, connecting included. Redirects are not followed (S52), bodies not decompressed (S53),
    /// TLS 1.2+ with host check (S54). Throws ConnectionFailed(request_left) when no complete
    /// answer came: request_left is false only when not one byte of the request was written.
    Response call(const Request& request, const HttpOptions& options);

    /// Cuts every call under way with ConnectionFailed and refuses new ones (used at stop).
    void stop();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay
