#include "http/http_connection.hpp"

#include <sys/epoll.h>
#include <sys/uio.h>

#include <cerrno>

#include "base/log.hpp"
#include "http/observe.hpp"
#include "http/problem.hpp"
#include "http/response_writer.hpp"
#include "http/websocket_connection.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr Refusal is_stopping{503, "stopping", "stopping", "The server is stopping."};
constexpr Refusal is_busy{503, "busy", "busy", "The server is busy."};
constexpr Refusal foreign_host{421, "unknown_host", "unknown_host",
                               "This server does not answer for that host."};
constexpr Refusal too_late{408, "timeout", "request_timeout",
                           "The request did not arrive in time."};

constexpr size_t drain_limit = 64 << 10;  // Largest body that is read for nobody (S06).
// A proxy in front may send a body that was refused to its end before it reads why.
constexpr size_t linger_bytes = 4 << 20;
constexpr auto linger_time = 2s;
constexpr size_t slowest_bytes_per_second = 1024;
constexpr size_t kept_capacity = 16 << 10;  // An idle connection gives larger buffers back.

constexpr std::string_view go_ahead = "HTTP/1.1 100 Continue\r\n\r\n";

bool is_request_id(std::string_view id) {
    for (const char c : id)
        if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-') return false;
    return !id.empty() && id.size() <= 64;
}

// Without the port; an IPv6 address keeps its brackets.
std::string_view host_name(std::string_view host) {
    const size_t bracket = host.rfind(']');
    const size_t colon = host.rfind(':');
    if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket))
        return host;
    return host.substr(0, colon);
}

}  // namespace

HttpConnection::HttpConnection(Reactor& reactor, Link link)
    : ServerConnection(reactor, std::move(link)),
      peer_text_(link_.peer.control ? "control" : link_.peer.address.text()) {
    if (link_.is_tls()) phase_ = Phase::greeting;
    deadline_in(link_.is_tls() ? context_.config.handshake_timeout : context_.config.idle_timeout);
}

HttpConnection::~HttpConnection() { close(); }

void HttpConnection::on_events(uint32_t events) {
    if (events & (EPOLLERR | EPOLLHUP)) return close();
    if (events & (EPOLLIN | EPOLLRDHUP)) readable_ = true;
    if (events & EPOLLRDHUP) peer_ended_ = true;
    if (events & EPOLLOUT) writable_ = true;
    // What TLS had to write before it could read on has left.
    if (events & EPOLLOUT && link_.is_tls()) readable_ = true;
    if (phase_ == Phase::writing && writable_) flush();
    if (phase_ == Phase::lingering) discard();
    go_on();
}

void HttpConnection::on_answer(Inbox::Item item) {
    if (item.number != number_ || phase_ != Phase::handling) return;
    if (item.socket)
        upgrade(std::move(item));
    else
        send(std::move(item.response));
    go_on();
}

void HttpConnection::on_deadline() {
    switch (phase_) {
        case Phase::greeting:
            context_.reject("tls_timeout");  // Nothing can be said before it is done (S15).
            return close();
        case Phase::reading:
            if (!parser_.started()) return close();
            if (!body_timer_ || too_slow(parser_.request().body.size())) return refuse(too_late);
            return deadline_in(context_.config.body_window);
        case Phase::writing:
            if (too_slow(sent_)) return close();
            return deadline_in(context_.config.body_window);
        case Phase::lingering:
            return close();
        case Phase::handling:
        case Phase::upgraded:
        case Phase::closed:
            return no_deadline();
    }
}

void HttpConnection::finish() {
    readable_ = true;
    go_on();
    close();
}

void HttpConnection::go_on() {
    if (phase_ == Phase::greeting) shake_hands();
    while (phase_ == Phase::reading) {
        if (input_.empty()) {
            if (!read_more()) return;
            continue;
        }
        std::string_view bytes = std::string_view(input_).substr(input_used_);
        parse(bytes);
        input_used_ = input_.size() - bytes.size();
        if (!bytes.empty()) continue;
        input_.clear();
        input_used_ = 0;
        if (input_.capacity() > kept_capacity) input_.shrink_to_fit();
    }
}

void HttpConnection::shake_hands() {
    switch (link_.shake_hands()) {
        case TlsStream::Handshake::waiting:
            return;
        case TlsStream::Handshake::failed:
            context_.reject("tls_handshake");
            return close();
        case TlsStream::Handshake::done:
            break;
    }
    phase_ = Phase::reading;
    readable_ = true;  // The first request may have come in the client's last packet.
    deadline_in(context_.config.idle_timeout);
}

// Edge-triggered: after a read that emptied the socket the next bytes bring an event of their own.
bool HttpConnection::read_more() {
    if (!readable_) return false;
    const ssize_t got = link_.read(reactor_.buffer(), Reactor::buffer_size);
    if (got > 0) {
        if (link_.drained() && !peer_ended_) readable_ = false;
        std::string_view bytes(reactor_.buffer(), static_cast<size_t>(got));
        parse(bytes);
        input_.assign(bytes);
        return true;
    }
    if (got < 0 && errno == EINTR) return true;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        readable_ = false;
        return false;
    }
    if (parser_.started()) context_.reject("partial");  // No handler sees half a request (S08).
    close();
    return false;
}

void HttpConnection::parse(std::string_view& bytes) {
    while (phase_ == Phase::reading) {
        switch (parser_.next(bytes)) {
            case RequestParser::Step::need_more:
                return on_partial();
            case RequestParser::Step::head:
                on_head();
                break;
            case RequestParser::Step::complete:
                // Nobody would hear the answer any more.
                if (context_.finished) return refuse(is_stopping);
                return dispatch(parser_.keep_alive());
            case RequestParser::Step::refused:
                return on_refusal();
        }
    }
}

void HttpConnection::on_head() {
    const HttpRequest& request = parser_.request();
    head_only_ = request.method == "HEAD";
    const RouteMatch match = context_.router.find(request.method, request.path);
    empty_errors_ = match.empty_errors(request.path);
    unknown_path_ = !match.route;
    if (context_.stopping) return refuse(is_stopping);
    if (!link_.peer.control && !is_our_host(*request.header("Host"))) return refuse(foreign_host);
    const bool takes_body = match.route && match.route->spec.body != BodyKind::none;
    parser_.limit_body(takes_body ? match.route->spec.body_limit() : drain_limit);
    continue_wanted_ = parser_.expects_continue();
    if (continue_wanted_) decide_continue(match);
}

// A final answer without "100 Continue" spares the client the body (S18). A length over the limit
// is refused by the parser next.
void HttpConnection::decide_continue(const RouteMatch& match) {
    if (!match.route) return dispatch(false);
    if (!context_.config.before_continue) return;
    if (auto early = context_.config.before_continue(parser_.request(), *match.route))
        answer_early(std::move(*early), request_id(parser_.request()));
}

bool HttpConnection::is_our_host(std::string_view host) const {
    const auto& ours = context_.config.allowed_hosts;
    if (ours.empty()) return true;
    return std::ranges::any_of(
        ours, [&](const std::string& name) { return equal_ignoring_case(name, host_name(host)); });
}

void HttpConnection::on_partial() {
    if (!parser_.started()) return;
    if (!parser_.in_body()) {
        if (!header_timer_) deadline_in(context_.config.header_timeout);
        header_timer_ = true;
        return;
    }
    const size_t size = parser_.request().body.size();
    if (!count_body(size)) return refuse(is_busy);
    if (!body_timer_) {
        body_timer_ = true;
        window_progress_ = size;
        deadline_in(context_.config.body_window);
    }
    if (!continue_wanted_) return;
    continue_wanted_ = false;
    // The socket is empty at this point, so these 25 bytes fit.
    iovec part{const_cast<char*>(go_ahead.data()), go_ahead.size()};
    if (size == 0 && link_.write(&part, 1) < 0) close();
}

void HttpConnection::on_refusal() {
    if (!unknown_path_ || parser_.refusal().status != 413) return refuse(parser_.refusal());
    // Nobody takes this body, so its size is not what is wrong: the path is.
    parser_.request().body.clear();
    dispatch(false);
}

void HttpConnection::dispatch(bool keep_alive) {
    HttpRequest request = std::move(parser_.request());
    parser_.reset();
    header_timer_ = body_timer_ = continue_wanted_ = false;
    count_body(request.body.size());
    keep_alive_ = keep_alive;
    head_only_ = request.method == "HEAD";
    request.control = link_.peer.control;
    request.peer = link_.peer.trusted
                       ? forwarded_client(request, context_.trusted_proxies, link_.peer.address)
                       : peer_text_;
    request.secure = link_.is_tls();
    if (const auto proto = request.header("X-Forwarded-Proto"); proto && link_.peer.trusted)
        request.secure = *proto == "https";
    phase_ = Phase::handling;
    exchange_ = true;
    no_deadline();
    context_.enter_exchange();
    std::string id = request_id(request);
    const bool may_upgrade = request.count("Upgrade") > 0;
    auto send_back = [inbox = reactor_.inbox(), connection = this->id(),
                      number = ++number_](Response response) {
        inbox->post({connection, number, std::move(response)});
    };
    const auto exchange =
        std::make_shared<Exchange>(std::move(request), std::move(id), send_back, context_.executor);
    if (may_upgrade)
        exchange->allow_upgrade([inbox = reactor_.inbox(), connection = this->id(),
                                 number = number_](Response response, WebSocketHandlerPtr socket) {
            inbox->post({connection, number, std::move(response), std::move(socket)});
        });
    context_.pipeline.run(exchange);
}

void HttpConnection::refuse(const Refusal& refusal) {
    context_.reject(refusal.reason);
    Problem problem(refusal.code, refusal.detail);
    problem.status_is(refusal.status);
    const std::string id = request_id(parser_.request());
    const LogScope scope(id, {});
    log_debug("access", "refused",
              {{"reason", refusal.reason},
               {"status", std::to_string(refusal.status)},
               {"peer", logged_peer(peer_text_)}});
    answer_early(problem_response(problem, id, empty_errors_), id);
}

// An answer without an exchange: what else comes on this connection is read and thrown away.
void HttpConnection::answer_early(Response response, const std::string& id) {
    response.headers["x-request-id"] = id;
    parser_.reset();
    ++number_;
    exchange_ = false;
    keep_alive_ = false;
    send(std::move(response));
}

std::string HttpConnection::request_id(const HttpRequest& request) const {
    const auto sent = request.header("X-Request-Id");
    return sent && is_request_id(*sent) ? std::string(*sent) : context_.new_request_id();
}

void HttpConnection::send(Response response) {
    if (context_.stopping) keep_alive_ = false;
    head_.clear();
    if (!write_answer_head(head_, response, {keep_alive_, reactor_.date()})) {
        // A handler put foreign bytes into a header, or a status that is none: a bug, never sent
        // (S21).
        context_.reject("response_header");
        log_error("http", "an answer was not fit to be sent",
                  {{"status", std::to_string(response.status)}});
        const std::string id = response.headers["x-request-id"];
        response = problem_response(Problem("internal"), id, empty_errors_);
        response.headers["x-request-id"] = id;
        write_answer_head(head_, response, {keep_alive_, reactor_.date()});
    }
    body_ =
        head_only_ || !may_have_body(response.status) ? std::string{} : std::move(response.body);
    sent_ = 0;
    window_progress_ = 0;
    phase_ = Phase::writing;
    no_deadline();
    flush();
}

void HttpConnection::upgrade(Inbox::Item item) {
    socket_ = std::move(item.socket);
    head_ = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    for (const auto& [name, value] : item.response.headers)
        if (is_sendable_header(name, value)) head_.append(name + ": " + value + "\r\n");
    head_ += "\r\n";
    body_ = {};
    sent_ = 0;
    window_progress_ = 0;
    phase_ = Phase::writing;
    no_deadline();
    flush();
}

std::unique_ptr<ServerConnection> HttpConnection::successor() {
    if (phase_ != Phase::upgraded) return nullptr;
    phase_ = Phase::closed;
    auto next =
        std::make_unique<WebSocketConnection>(reactor_, std::move(link_), std::move(socket_));
    next->begin(std::string_view(input_).substr(input_used_), peer_ended_);
    return next;
}

void HttpConnection::flush() {
    const size_t size = head_.size() + body_.size();
    while (sent_ < size) {
        iovec parts[2] = {{head_.data() + std::min(sent_, head_.size()),
                           head_.size() - std::min(sent_, head_.size())},
                          {}};
        const size_t body_sent = sent_ > head_.size() ? sent_ - head_.size() : 0;
        parts[1] = {body_.data() + body_sent, body_.size() - body_sent};
        const ssize_t wrote = link_.write(parts, 2);
        if (wrote >= 0) {
            sent_ += static_cast<size_t>(wrote);
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return close();
        writable_ = false;
        if (!has_deadline()) deadline_in(context_.config.body_window);
        return;
    }
    end_answer();
}

void HttpConnection::end_answer() {
    if (exchange_) context_.leave_exchange();
    exchange_ = false;
    count_body(0);
    body_ = {};
    if (head_.capacity() > kept_capacity) head_ = {};
    if (socket_) {
        phase_ = Phase::upgraded;
        return no_deadline();
    }
    if (keep_alive_) {
        phase_ = Phase::reading;
        return deadline_in(context_.config.idle_timeout);
    }
    // Closing while bytes still come would reset the connection, and the answer might be lost.
    begin_linger();
}

void HttpConnection::begin_linger() {
    link_.end_writing();
    phase_ = Phase::lingering;
    deadline_in(linger_time);
    discard();
}

void HttpConnection::discard() {
    while (discarded_ <= linger_bytes) {
        const ssize_t got = link_.discard(reactor_.buffer(), Reactor::buffer_size);
        if (got > 0)
            discarded_ += static_cast<size_t>(got);
        else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        else if (got == 0 || errno != EINTR)
            break;
    }
    close();
}

// Keeps the sum over all connections. False when it is over the limit.
bool HttpConnection::count_body(size_t bytes) {
    if (bytes == counted_body_) return true;
    const size_t sum = context_.buffered += bytes - counted_body_;
    counted_body_ = bytes;
    return sum <= context_.config.buffered_bytes;
}

// Looked at once for each window: what came or went in it is below the slowest rate.
bool HttpConnection::too_slow(size_t progress) {
    const auto window = static_cast<size_t>(context_.config.body_window.count());
    const bool slow = (progress - window_progress_) * 1000 < slowest_bytes_per_second * window;
    window_progress_ = progress;
    return slow;
}

void HttpConnection::close() {
    if (phase_ == Phase::closed) return;
    count_body(0);
    // An exchange that still has no answer is counted until the answer comes.
    if (exchange_ && phase_ != Phase::handling) context_.leave_exchange();
    phase_ = Phase::closed;
}

}  // namespace patchbay
