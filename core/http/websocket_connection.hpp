// One WebSocket as a state machine on its reactor's thread. Internal to the server.
#pragma once
#include <vector>

#include "http/server_connection.hpp"
#include "http/websocket.hpp"

namespace patchbay {

/// Takes over a connection after its handshake. While nothing happens it holds no buffer.
class WebSocketConnection final : public ServerConnection {
public:
    WebSocketConnection(Reactor& reactor, Link link, WebSocketHandlerPtr handler);
    ~WebSocketConnection() override;

    /// `early` came behind the handshake.
    void begin(std::string_view early, bool peer_ended);

    void on_events(uint32_t events) override;
    void on_work(SocketWork work) override;
    void on_deadline() override;
    void on_stopping() override;
    void finish() override;
    bool closed() const override { return phase_ == Phase::closed; }

private:
    /// closing: our close frame is queued and the client's is awaited. ending: nothing more is
    /// awaited, the queue goes out. lingering: what still comes is thrown away until the client
    /// ends, since closing with unread bytes would reset the connection and lose our close.
    enum class Phase { open, closing, ending, lingering, closed };
    struct Outgoing {
        std::string head;  // Frame header and what belongs to this socket alone.
        SharedText text;   // May be empty.
        size_t size() const { return head.size() + (text ? text->size() : 0); }
    };

    void read();
    bool read_once();
    void take(std::string_view bytes);
    bool within_rate();
    void client_closed();
    void end_after_queue();
    void begin_close(uint16_t code, std::string_view reason);
    void enqueue(std::string head, SharedText text = {});
    void drop_unsent();
    void flush();
    void sent(size_t bytes);
    void drained();
    void tell_closed(uint16_t code);
    void end();

    WebSocketPtr socket_;
    WebSocketHandlerPtr handler_;
    WebSocketDecoder decoder_;
    std::vector<Outgoing> queue_;
    size_t first_ = 0, first_sent_ = 0;  // What of the queue has left.
    TimerWheel::Time rate_from_;
    uint16_t rate_count_ = 0, close_code_ = 0;
    Phase phase_ = Phase::open;
    bool readable_ = true, writable_ = true, peer_ended_ = false;
    bool heard_ = true;  // Since the last ping.
    bool tell_drained_ = false, flush_due_ = false, told_closed_ = false;
};

}  // namespace patchbay
