// One client connection as a state machine on its reactor's thread. Internal to the server.
#pragma once
#include "http/framing.hpp"
#include "http/server_connection.hpp"

namespace patchbay {

/// Reads one request, hands it on, writes its answer, reads the next. Pipelined requests wait in
/// the socket or, where one read brought several, in `input_` (one read's size at most).
class HttpConnection final : public ServerConnection {
public:
    HttpConnection(Reactor& reactor, Link link);
    ~HttpConnection() override;

    void on_events(uint32_t events) override;
    void on_answer(Inbox::Item item) override;
    void on_deadline() override;
    void finish() override;  ///< Reads once more what has come, so that it gets its 503, and ends.
    bool closed() const override { return phase_ == Phase::closed; }
    std::unique_ptr<ServerConnection> successor() override;

private:
    /// greeting: the TLS handshake.
    enum class Phase { greeting, reading, handling, writing, lingering, upgraded, closed };

    void go_on();
    void shake_hands();
    bool read_more();
    void parse(std::string_view& bytes);
    void on_head();
    void decide_continue(const RouteMatch& match);
    bool is_our_host(std::string_view host) const;
    void on_partial();
    void on_refusal();
    void dispatch(bool keep_alive);
    void refuse(const Refusal& refusal);
    void answer_early(Response response, const std::string& id);
    void send(Response response);
    void upgrade(Inbox::Item item);
    void flush();
    void end_answer();
    void begin_linger();
    void discard();
    bool count_body(size_t bytes);
    std::string request_id(const HttpRequest& request) const;
    bool too_slow(size_t progress);
    void close();

    const std::string peer_text_;
    Phase phase_ = Phase::reading;
    RequestParser parser_;
    std::string input_;  // Bytes behind the request under way, from input_used_ on.
    size_t input_used_ = 0;
    std::string head_, body_;  // The answer being written.
    size_t sent_ = 0, window_progress_ = 0, counted_body_ = 0, discarded_ = 0;
    uint64_t number_ = 0;         // Of the exchange under way: answers to others are too late.
    WebSocketHandlerPtr socket_;  // What the connection becomes after this answer.
    bool readable_ = false, writable_ = true, peer_ended_ = false;
    bool keep_alive_ = true, head_only_ = false;
    bool exchange_ = false;  // The answer belongs to an exchange, not to a refusal.
    bool header_timer_ = false, body_timer_ = false, continue_wanted_ = false,
         unknown_path_ = false, empty_errors_ = false;
};

}  // namespace patchbay
