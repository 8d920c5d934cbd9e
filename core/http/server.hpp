// HTTP/1.1 server: epoll reactors over Poco sockets, strict framing, bounded worker pool.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "http/router.hpp"

namespace patchbay {

struct ServerConfig {
    std::string listen = "127.0.0.1:8000";  ///< Port 0: the system chooses, see Server::port().
    std::vector<std::string> trusted_proxies;
    std::vector<std::string> allowed_hosts;  ///< Empty: any.
    size_t connections = 20'000;
    size_t connections_per_address = 64;  ///< Loopback and trusted proxies are exempt (S17).
    unsigned reactors = 1;
    unsigned workers = 8;
    size_t worker_queue = 256;  ///< Waiting exchanges; above it 503 busy with Retry-After.
    std::chrono::seconds header_timeout{10}, body_window{10}, idle_timeout{15};
};

class Server {
public:
    /// Binds at once (throws Error with the address in its text), answers nothing before start().
    Server(const ServerConfig& config, const Clock& clock, Ids& ids, Router& router, RequestPipeline pipeline);
    ~Server();  ///< stop(0 s)

    void start();
    uint16_t port() const;

    /// Draining stop (G11): closes the listener, answers new requests on open connections 503 stopping + close, waits for the exchanges
    /// under way for at most `grace`. Idempotent.
    void stop(std::chrono::milliseconds grace);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay
