// What a reactor knows of a connection, whatever protocol it speaks. Internal to the server.
#pragma once
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <sys/socket.h>

#include "http/reactor.hpp"
#include "http/tls.hpp"

namespace patchbay {

/// An accepted socket: it counts in the server's limits until this is gone.
class Link {
public:
    struct Peer {
        PeerAddress address;
        bool counted = false;  ///< In the limit of connections per address.
        bool trusted = false, control = false;
    };

    /// `tls` empty: the bytes are what they seem.
    Link(ServerContext& context, Poco::Net::StreamSocket socket, uint64_t id_, const Peer& peer_,
         std::unique_ptr<TlsStream> tls)
        : id(id_),
          peer(peer_),
          context_(&context),
          socket_(std::move(socket)),
          tls_(std::move(tls)) {
        ++context.connections;
    }
    Link(Link&& other) noexcept
        : id(other.id),
          peer(other.peer),
          context_(std::exchange(other.context_, nullptr)),
          socket_(other.socket_),
          tls_(std::move(other.tls_)),
          drained_(other.drained_) {}
    ~Link() {
        if (!context_) return;
        --context_->connections;
        if (peer.counted) context_->addresses.leave(peer.address);
    }
    int fd() const { return socket_.impl()->sockfd(); }
    bool is_tls() const { return tls_ != nullptr; }
    TlsStream::Handshake shake_hands() { return tls_->shake_hands(); }

    /// As recv: bytes, 0 at the end, -1 with errno.
    ssize_t read(char* to, size_t size) {
        if (tls_) return tls_->read(to, size);
        const ssize_t got = ::recv(fd(), to, size, 0);
        drained_ = got >= 0 && static_cast<size_t>(got) < size;
        return got;
    }
    /// After the last read: the next bytes bring an event of their own.
    bool drained() const { return tls_ ? tls_->drained() : drained_; }
    /// As sendmsg: bytes, perhaps not all, or -1 with errno.
    ssize_t write(iovec* parts, size_t count) {
        if (tls_) return tls_->write(parts, count);
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = count;
        return ::sendmsg(fd(), &message, MSG_NOSIGNAL);
    }
    /// How many of the next bytes are on their way and can no longer be others.
    size_t committed() const { return tls_ ? tls_->committed() : 0; }
    /// The client reads an end behind what was written.
    void end_writing() {
        if (tls_) tls_->end_writing();
        ::shutdown(fd(), SHUT_WR);
    }
    /// Reads for nobody: as recv, and without decrypting.
    ssize_t discard(char* to, size_t size) { return ::recv(fd(), to, size, 0); }

    const uint64_t id;
    const Peer peer;

private:
    ServerContext* context_;
    Poco::Net::StreamSocket socket_;
    std::unique_ptr<TlsStream> tls_;  // Gone before the socket.
    bool drained_ = false;
};

/// A state machine on its reactor's thread.
class ServerConnection {
public:
    ServerConnection(Reactor& reactor, Link link)
        : reactor_(reactor), context_(reactor.context()), link_(std::move(link)) {}
    virtual ~ServerConnection() = default;
    ServerConnection(const ServerConnection&) = delete;
    ServerConnection& operator=(const ServerConnection&) = delete;

    virtual void on_events(uint32_t events) = 0;
    virtual void on_answer(Inbox::Item) {}
    virtual void on_work(SocketWork) {}
    virtual void on_deadline() = 0;
    virtual void on_stopping() {}  ///< The server takes nothing new from now on.
    virtual void finish() = 0;     ///< The server ends now: says what can be said at once.
    virtual bool closed() const = 0;

    /// The connection that goes on with the same socket, once this one has said its last byte.
    virtual std::unique_ptr<ServerConnection> successor() { return nullptr; }

    uint64_t id() const { return link_.id; }
    int fd() const { return link_.fd(); }
    TimerWheel::Time deadline() const { return deadline_; }
    int64_t scheduled = 0;  ///< Tick of its entry in the timer wheel; 0: none counts.

protected:
    void deadline_in(std::chrono::milliseconds time) {
        deadline_ = reactor_.now() + time;
        reactor_.wake_at(*this);
    }
    void no_deadline() { deadline_ = TimerWheel::Time::max(); }
    bool has_deadline() const { return deadline_ != TimerWheel::Time::max(); }

    Reactor& reactor_;
    ServerContext& context_;
    Link link_;

private:
    TimerWheel::Time deadline_ = TimerWheel::Time::max();
};

}  // namespace patchbay
