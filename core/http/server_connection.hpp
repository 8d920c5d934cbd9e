// What a reactor knows of a connection, whatever protocol it speaks. Internal to the server.
#pragma once
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>

#include "http/reactor.hpp"

namespace patchbay {

/// An accepted socket: it counts in the server's limits until this is gone.
class Link {
public:
    struct Peer {
        PeerAddress address;
        bool counted = false;  ///< In the limit of connections per address.
        bool trusted = false, control = false;
    };

    Link(ServerContext& context, Poco::Net::StreamSocket socket, uint64_t id_, const Peer& peer_)
        : id(id_), peer(peer_), context_(&context), socket_(std::move(socket)) {
        ++context.connections;
    }
    Link(Link&& other) noexcept
        : id(other.id),
          peer(other.peer),
          context_(std::exchange(other.context_, nullptr)),
          socket_(other.socket_) {}
    ~Link() {
        if (!context_) return;
        --context_->connections;
        if (peer.counted) context_->addresses.leave(peer.address);
    }
    int fd() const { return socket_.impl()->sockfd(); }

    const uint64_t id;
    const Peer peer;

private:
    ServerContext* context_;
    Poco::Net::StreamSocket socket_;
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
