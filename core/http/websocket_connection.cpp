#include "http/websocket_connection.hpp"

#include <sys/epoll.h>
#include <sys/uio.h>

#include <cerrno>

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr auto ping_interval = 30s;
constexpr auto closing_time = 2s;  // For the client's half of the closing handshake.
constexpr auto rate_window = 1s;
constexpr uint16_t messages_per_window = 50;
constexpr int reads_per_turn = 4;  // Then the others come first.
constexpr size_t parts_per_write = 64;
constexpr std::string_view stop_reason = "retry_in=5", slow_reader = "slow reader";

}  // namespace

WebSocketConnection::WebSocketConnection(Reactor& reactor, Link link, WebSocketHandlerPtr handler)
    : ServerConnection(reactor, std::move(link)),
      socket_(std::make_shared<WebSocket>(reactor.inbox(), id())),
      handler_(std::move(handler)),
      rate_from_(reactor.now()) {
    ++context_.websockets;
    if (handler_->open_sockets) handler_->open_sockets->add(1);
}

WebSocketConnection::~WebSocketConnection() {
    end();
    if (handler_->open_sockets) handler_->open_sockets->add(-1);
    context_.leave_websocket();
}

void WebSocketConnection::begin(std::string_view early, bool peer_ended) {
    peer_ended_ = peer_ended;
    deadline_in(ping_interval);
    handler_->on_open(socket_);
    if (context_.stopping) on_stopping();
    take(early);
    read();
}

void WebSocketConnection::on_events(uint32_t events) {
    if (events & (EPOLLERR | EPOLLHUP)) return end();
    if (events & (EPOLLIN | EPOLLRDHUP)) readable_ = true;
    if (events & EPOLLRDHUP) peer_ended_ = true;
    if (events & EPOLLOUT) {
        writable_ = true;
        flush();
    }
    read();
}

void WebSocketConnection::on_work(SocketWork work) {
    if (work.go_on) {
        flush_due_ = false;
        flush();
        return read();
    }
    if (work.drained) tell_drained_ = true;
    if (work.close_code != 0) return begin_close(work.close_code, work.head);
    if (!work.head.empty()) enqueue(std::move(work.head), std::move(work.text));
    // Frames that come together leave in one system call.
    if (!flush_due_) reactor_.go_on_later(id());
    flush_due_ = true;
}

void WebSocketConnection::on_deadline() {
    if (phase_ != Phase::open || !heard_) return end();
    heard_ = false;
    enqueue(frame_header(FrameKind::ping, 0));
    flush();
    deadline_in(ping_interval);
}

void WebSocketConnection::on_stopping() { begin_close(close_code::going_away, stop_reason); }

void WebSocketConnection::finish() {
    on_stopping();
    flush();
    // What has come and was not read would reset the connection, and our close might be lost.
    while (link_.discard(reactor_.buffer(), Reactor::buffer_size) > 0) continue;
    end();
}

void WebSocketConnection::read() {
    for (int i = 0; i < reads_per_turn; ++i)
        if (!read_once()) return;
    reactor_.go_on_later(id());
}

// Edge-triggered: after a read that emptied the socket the next bytes bring an event of their own.
bool WebSocketConnection::read_once() {
    if (!readable_ || phase_ == Phase::closed) return false;
    const ssize_t got = link_.read(reactor_.buffer(), Reactor::buffer_size);
    if (got > 0) {
        if (link_.drained() && !peer_ended_) readable_ = false;
        take({reactor_.buffer(), static_cast<size_t>(got)});
        return true;
    }
    if (got < 0 && errno == EINTR) return true;
    readable_ = false;
    const bool nothing_yet = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (!nothing_yet) end();
    return false;
}

void WebSocketConnection::take(std::string_view bytes) {
    using Step = WebSocketDecoder::Step;
    while (phase_ == Phase::open || phase_ == Phase::closing) {
        const Step step = decoder_.next(bytes);
        if (step == Step::need_more) return;
        heard_ = true;
        if (step == Step::close) return client_closed();
        // Nobody reads what else comes between our close and the client's.
        if (phase_ == Phase::closing && step != Step::failed) continue;
        if (step == Step::failed) {
            begin_close(decoder_.code(), {});
            return end_after_queue();
        }
        if (!within_rate()) return begin_close(close_code::policy, "more than 50 messages/s");
        if (step == Step::message) handler_->on_message(std::move(decoder_.payload()));
        if (step == Step::ping) {
            const std::string& data = decoder_.payload();
            enqueue(frame_header(FrameKind::pong, data.size()).append(data));
            flush();
        }
    }
}

// Pings count too: each costs an answer.
bool WebSocketConnection::within_rate() {
    if (reactor_.now() - rate_from_ >= rate_window) {
        rate_from_ = reactor_.now();
        rate_count_ = 0;
    }
    return ++rate_count_ <= messages_per_window;
}

void WebSocketConnection::client_closed() {
    const uint16_t code = decoder_.code();
    begin_close(code == close_code::none_sent ? close_code::normal : code, {});
    end_after_queue();
}

void WebSocketConnection::end_after_queue() {
    if (phase_ != Phase::closing) return;
    phase_ = Phase::ending;
    flush();
}

// The first code counts. A slow reader's backlog is dropped, all others get theirs first.
void WebSocketConnection::begin_close(uint16_t code, std::string_view reason) {
    if (phase_ != Phase::open) return;
    phase_ = Phase::closing;
    close_code_ = code;
    socket_->closed_ = true;
    if (code == close_code::try_again_later) drop_unsent();
    enqueue(close_frame(code, reason));
    deadline_in(closing_time);
    flush();
}

void WebSocketConnection::enqueue(std::string head, SharedText text) {
    // What WebSocket::send posted is counted there.
    if (!text) socket_->queued_ += head.size();
    queue_.push_back({std::move(head), std::move(text)});
    if (phase_ == Phase::open && socket_->queued_ > max_socket_queue)
        begin_close(close_code::try_again_later, slow_reader);
}

void WebSocketConnection::drop_unsent() {
    size_t kept = first_;
    for (size_t left = first_sent_ + link_.committed(); left > 0 && kept < queue_.size(); ++kept)
        left -= std::min(left, queue_[kept].size());
    queue_.resize(kept);
}

void WebSocketConnection::flush() {
    while (writable_ && phase_ != Phase::closed && first_ < queue_.size()) {
        iovec parts[parts_per_write];
        size_t count = 0, skip = first_sent_;
        const auto add = [&](const std::string& bytes) {
            const size_t from = std::min(skip, bytes.size());
            skip -= from;
            if (from == bytes.size()) return;
            parts[count++] = {const_cast<char*>(bytes.data()) + from, bytes.size() - from};
        };
        for (size_t i = first_; i < queue_.size() && count + 2 <= parts_per_write; ++i) {
            add(queue_[i].head);
            if (queue_[i].text) add(*queue_[i].text);
        }
        const ssize_t wrote = link_.write(parts, count);
        if (wrote >= 0)
            sent(static_cast<size_t>(wrote));
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            writable_ = false;
        else if (errno != EINTR)
            return end();
    }
    if (first_ == queue_.size()) drained();
}

void WebSocketConnection::sent(size_t bytes) {
    socket_->queued_ -= bytes;
    first_sent_ += bytes;
    while (first_ < queue_.size() && first_sent_ >= queue_[first_].size()) {
        first_sent_ -= queue_[first_].size();
        queue_[first_++] = {};
    }
}

void WebSocketConnection::drained() {
    if (queue_.capacity() > 0) queue_ = {};
    first_ = 0;
    if (phase_ == Phase::ending) {
        tell_closed(close_code_);
        link_.end_writing();
        phase_ = Phase::lingering;
        deadline_in(closing_time);
    }
    if (phase_ == Phase::open && std::exchange(tell_drained_, false)) handler_->on_drained();
}

void WebSocketConnection::tell_closed(uint16_t code) {
    if (std::exchange(told_closed_, true)) return;
    socket_->closed_ = true;
    handler_->on_close(code);
}

void WebSocketConnection::end() {
    phase_ = Phase::closed;
    tell_closed(close_code_ != 0 ? close_code_ : close_code::abnormal);
}

}  // namespace patchbay
