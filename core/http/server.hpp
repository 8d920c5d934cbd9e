// HTTP/1.1 server: epoll reactors over Poco sockets, strict framing, bounded worker pool.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "http/router.hpp"

namespace patchbay {

struct ServerConfig {
    std::string listen = "127.0.0.1:8000";  ///< Port 0: the system chooses, see Server::port().
                                            ///< Empty: control socket only.
    std::string
        control_socket;  ///< Path of a unix socket (mode 0600) with the same routes; empty: none.
    struct {
        std::string certificate, key;  ///< Files in PEM, the chain after the certificate. Empty:
                                       ///< no TLS. Changed ones count from the next connection on.
    } tls;
    std::vector<std::string>
        trusted_proxies;  ///< Addresses or networks whose X-Forwarded-For and -Proto count.
    std::vector<std::string> allowed_hosts;  ///< Without port. Empty: any.
    size_t connections = 20'000;
    size_t connections_per_address = 64;  ///< Loopback and trusted proxies are exempt (S17).
    unsigned reactors = 1;
    unsigned workers = 8;
    size_t worker_queue = 256;  ///< Waiting exchanges; above it 503 busy with Retry-After.
    size_t buffered_bytes =
        256ull << 20;  ///< Bodies in memory, of all connections; above it 503 busy (G19).
    std::chrono::milliseconds handshake_timeout{10'000}, header_timeout{10'000},
        body_window{10'000}, idle_timeout{15'000};

    /// Asked for a request that waits for "100 Continue", on the socket thread: an answer here is
    /// sent instead, and the body never comes (S18). May be empty.
    std::function<std::optional<Response>(const HttpRequest&, const RouteEntry&)> before_continue;
};

/// Counted since the start.
struct ServerStats {
    size_t connections = 0;  ///< Open now.
    size_t websockets = 0;   ///< Of these.
    size_t in_flight = 0;    ///< Exchanges without an answer now.
    uint64_t requests = 0, wake_ups = 0;
    std::map<std::string, uint64_t> rejected;  ///< By reason, for patchbay_http_rejected_total.
};

class Server {
public:
    /// Binds at once (throws Error with the address, or the TLS file, in its text), answers nothing
    /// before start().
    Server(const ServerConfig& config, const Clock& clock, Ids& ids, Router& router,
           RequestPipeline pipeline);
    ~Server();  ///< stop(0 s)

    void start();
    uint16_t port() const;  ///< 0 without a TCP listener.
    ServerStats stats() const;

    /// Draining stop (G11): closes the listener, answers new requests on open connections 503
    /// stopping + close, closes WebSockets with 1001, waits for the exchanges under way for at most
    /// `grace`, then for handlers that still run on a pool thread. Idempotent.
    void stop(std::chrono::milliseconds grace);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay
