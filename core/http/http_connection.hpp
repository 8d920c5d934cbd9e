// One client connection as a state machine on its reactor's thread. Internal to the server.
#pragma once
#include <Poco/Net/StreamSocket.h>

#include "http/framing.hpp"
#include "http/reactor.hpp"

namespace patchbay {

/// Reads one request, hands it on, writes its answer, reads the next. Pipelined requests wait in
/// the socket or, where one read brought several, in `input_` (one read's size at most).
class HttpConnection {
public:
    struct Peer {
        PeerAddress address;
        bool counted = false;  ///< In the limit of connections per address.
        bool trusted = false, control = false;
    };

    HttpConnection(Reactor& reactor, Poco::Net::StreamSocket socket, uint64_t id, const Peer& peer);
    ~HttpConnection();
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;

    void on_events(uint32_t events);
    void on_answer(uint64_t number, Response response);
    void on_deadline();
    void finish();  ///< Reads once more what has come, so that it gets its 503, and ends.

    uint64_t id() const { return id_; }
    int fd() const { return socket_.impl()->sockfd(); }
    bool closed() const { return phase_ == Phase::closed; }
    TimerWheel::Time deadline() const { return deadline_; }
    int64_t scheduled = 0;  ///< Tick of its entry in the timer wheel; 0: none counts.

private:
    enum class Phase { reading, handling, writing, lingering, closed };

    void go_on();
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
    void flush();
    void end_answer();
    void begin_linger();
    void discard();
    bool count_body(size_t bytes);
    std::string request_id(const HttpRequest& request) const;
    void deadline_in(std::chrono::milliseconds time);
    void no_deadline() { deadline_ = TimerWheel::Time::max(); }
    bool too_slow(size_t progress);
    void close();

    Reactor& reactor_;
    ServerContext& context_;
    Poco::Net::StreamSocket socket_;
    const uint64_t id_;
    const Peer peer_;
    const std::string peer_text_;
    Phase phase_ = Phase::reading;
    RequestParser parser_;
    std::string input_;  // Bytes behind the request under way, from input_used_ on.
    size_t input_used_ = 0;
    std::string head_, body_;  // The answer being written.
    size_t sent_ = 0, window_progress_ = 0, counted_body_ = 0, discarded_ = 0;
    uint64_t number_ = 0;  // Of the exchange under way: answers to others are too late.
    TimerWheel::Time deadline_ = TimerWheel::Time::max();
    bool readable_ = false, writable_ = true, peer_ended_ = false;
    bool keep_alive_ = true, head_only_ = false, linger_ = false;
    bool exchange_ = false;  // The answer belongs to an exchange, not to a refusal.
    bool header_timer_ = false, body_timer_ = false, continue_wanted_ = false,
         unknown_path_ = false, empty_errors_ = false;
};

}  // namespace patchbay
