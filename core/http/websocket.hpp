// WebSockets on the reactors: what a route's handler and everybody who sends to a socket see.
//
//   router.add({.name = "live", .method = "GET", .path = "/ws", .socket = true, ...},
//              [](const ExchangePtr& exchange) { exchange->upgrade(std::make_shared<MySocket>());
//              });
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/metrics.hpp"
#include "http/message.hpp"
#include "http/websocket_codec.hpp"

namespace patchbay {

class Inbox;

/// Text that many sockets send, kept once.
using SharedText = std::shared_ptr<const std::string>;

/// Bytes that may wait for one reader. Above it the socket is closed with 1013 (S68, G19).
inline constexpr size_t max_socket_queue = 1 << 20;

/// An open socket, for those who send. Sends and closes come out in the order of the calls of one
/// thread. [any thread] None of the calls blocks.
class WebSocket {
public:
    WebSocket(std::shared_ptr<Inbox> inbox, uint64_t connection);
    ~WebSocket();

    /// One text message: `prefix` (this socket's own) and then `text`. What is sent to a socket
    /// that has been closed is dropped.
    void send(std::string_view prefix, SharedText text);
    void send(std::string text);

    /// The closing handshake with a deadline; nothing is sent behind it.
    void close(uint16_t code, const std::string& reason = {});

    /// Asks for one WebSocketHandler::on_drained() when all that was sent before has left for the
    /// system's buffers.
    void tell_when_drained();

    size_t queued() const { return queued_; }  ///< Bytes that have not left yet.

private:
    friend class WebSocketConnection;
    std::shared_ptr<Inbox> inbox_;
    const uint64_t connection_;
    std::atomic<size_t> queued_{0};
    std::atomic<bool> closed_{false};
};
using WebSocketPtr = std::shared_ptr<WebSocket>;

/// What a socket does. All calls come on the thread of its reactor, one after the other; they must
/// not block and not throw.
class WebSocketHandler {
public:
    virtual ~WebSocketHandler() = default;
    virtual void on_open(const WebSocketPtr& socket) = 0;  ///< First, once.
    virtual void on_message(std::string text) = 0;         ///< UTF-8, 64 KiB at most.
    virtual void on_drained() {}                           ///< See WebSocket::tell_when_drained.
    /// Last, once, when the socket was open: the code that the client or we gave, 1006 when the
    /// connection broke.
    virtual void on_close(uint16_t code) = 0;

    Gauge* open_sockets = nullptr;  ///< Of its endpoint; set by Exchange::upgrade.
};
using WebSocketHandlerPtr = std::shared_ptr<WebSocketHandler>;

/// The value of Sec-WebSocket-Accept for a request that may become a socket. Throws Problem
/// upgrade_required (426) for another protocol or version, invalid_header (400) for a bad key.
std::string require_handshake(const HttpRequest& request);

}  // namespace patchbay
