#include "http/reactor.hpp"

#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/log.hpp"
#include "http/http_connection.hpp"
#include "http/observe.hpp"
#include "http/response_writer.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t inbox_event = 0;  // Then the listeners from 1, then connections.
constexpr uint64_t first_connection = 16;
constexpr int max_events = 256, accepts_per_turn = 64;
constexpr auto accept_pause = 100ms;  // After running out of file descriptors (F62).

bool is_shortage(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

std::string ServerContext::request_id_prefix(const std::string& uuid) {
    return "req-" + uuid.substr(0, 8) + uuid.substr(9, 4) + uuid.substr(32) + "-";
}

std::string ServerContext::new_request_id() {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, ++request_ids, 36).ptr;
    return std::string(id_prefix).append(digits, end);
}

void ServerContext::reject(const char* reason) {
    count_rejected(reason);
    const std::lock_guard lock(mutex);
    ++rejected[reason];
}

void ServerContext::leave_exchange() {
    if (--in_flight > 0 || !stopping) return;
    const std::lock_guard lock(mutex);
    idle.notify_all();
}

void ServerContext::leave_websocket() {
    if (--websockets > 0 || !stopping) return;
    const std::lock_guard lock(mutex);
    idle.notify_all();
}

bool ServerContext::wait_until_idle(std::chrono::milliseconds grace) {
    std::unique_lock lock(mutex);
    idle.wait_for(lock, grace, [this] { return in_flight == 0 && websockets == 0; });
    return in_flight == 0;
}

Inbox::Inbox() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw Error(ErrorKind::unavailable, "cannot make an eventfd");
}

Inbox::~Inbox() { ::close(fd_); }

void Inbox::post(Item item) {
    bool asleep = false;
    {
        const std::lock_guard lock(mutex_);
        if (closed_) return;
        items_.push_back(std::move(item));
        // One call wakes it; until it sleeps again, it looks here by itself.
        asleep = std::exchange(sleeping_, false);
    }
    if (asleep) wake();
}

void Inbox::post(SocketWork work) {
    bool asleep = false;
    {
        const std::lock_guard lock(mutex_);
        if (closed_) return;
        work_.push_back(std::move(work));
        asleep = std::exchange(sleeping_, false);
    }
    if (asleep) wake();
}

void Inbox::wake() {
    ++wake_ups_;
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t wrote =
        ::write(fd_, &one, sizeof one);  // Fails only when it is awake already.
}

bool Inbox::may_sleep() {
    const std::lock_guard lock(mutex_);
    sleeping_ = items_.empty() && work_.empty();
    return sleeping_;
}

void Inbox::woke_up() {
    const std::lock_guard lock(mutex_);
    sleeping_ = false;
}

std::vector<Inbox::Item> Inbox::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(items_, {});
}

std::vector<SocketWork> Inbox::take_work() {
    const std::lock_guard lock(mutex_);
    return std::exchange(work_, {});
}

void Inbox::close() {
    std::vector<Item> dropped;
    std::vector<SocketWork> dropped_work;
    const std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(items_);
    dropped_work.swap(work_);
}

Reactor::Reactor(ServerContext& context, std::vector<std::shared_ptr<Listener>> listeners)
    : context_(context),
      listeners_(std::move(listeners)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      now_(context.clock.steady()),
      wheel_(now_),
      last_id_(first_connection) {
    if (epoll_ < 0) throw Error(ErrorKind::unavailable, "cannot make an epoll set");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = inbox_event;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, inbox_->fd(), &event);
}

Reactor::~Reactor() {
    join();
    close_all();
    ::close(epoll_);
}

void Reactor::start() {
    listen(true);
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "http-reactor");
}

void Reactor::join() {
    if (thread_.joinable()) thread_.join();
}

void Reactor::run() {
    while (!context_.finished) {
        try {
            turn();
        } catch (const std::exception& error) {
            // Memory ran out, most likely. The connection it happened on is cut by its deadline.
            log_error("http", "a turn of the reactor failed", {{"error", error.what()}});
        }
    }
    close_all();
}

void Reactor::turn() {
    const bool timers = !wheel_.empty() || !listening_;
    const int longest = timers ? static_cast<int>(TimerWheel::tick.count()) : 1000;
    epoll_event events[max_events];
    const bool may_sleep = put_off_.empty() && inbox_->may_sleep();
    const int count = ::epoll_wait(epoll_, events, max_events, may_sleep ? longest : 0);
    inbox_->woke_up();
    look_at_clock();
    for (int i = 0; i < count; ++i) {
        const uint64_t id = events[i].data.u64;
        if (id >= first_connection)
            handle(id, events[i].events);
        else if (id != inbox_event)
            accept_from(*listeners_[id - 1]);
        else {
            uint64_t wakes = 0;
            [[maybe_unused]] const ssize_t got = ::read(inbox_->fd(), &wakes, sizeof wakes);
        }
    }
    take_answers();
    go_on_with_put_off();
    ring_deadlines();
    if (context_.stopping)
        say_stopping();
    else if (!listening_ && std::chrono::steady_clock::now() >= listen_again_)
        listen(true);
}

void Reactor::look_at_clock() {
    now_ = context_.clock.steady();
    const int64_t second = context_.clock.now_ms() / 1000;
    if (second == date_second_) return;
    date_second_ = second;
    date_ = http_date(second);
}

void Reactor::listen(bool on) {
    if (on == listening_) return;
    for (size_t i = 0; i < listeners_.size(); ++i) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLEXCLUSIVE;
        event.data.u64 = i + 1;
        // What waits at the door when the server stops still gets its 503.
        if (!on && context_.stopping) accept_from(*listeners_[i]);
        ::epoll_ctl(epoll_, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                    listeners_[i]->socket.impl()->sockfd(), &event);
    }
    listening_ = on;
    if (on || !context_.stopping || --context_.listening > 0) return;
    for (const auto& listener : listeners_) listener->socket.close();
}

void Reactor::accept_from(Listener& listener) {
    for (int i = 0; i < accepts_per_turn; ++i) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        auto* address = reinterpret_cast<sockaddr*>(&from);
        const int fd = ::accept4(listener.socket.impl()->sockfd(), address, &size,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            admit(fd, listener, PeerAddress::of(*address));
            continue;
        }
        if (is_shortage(errno)) {
            context_.reject("no_descriptors");
            listen_again_ = std::chrono::steady_clock::now() + accept_pause;
            if (!context_.stopping) listen(false);
        }
        if (errno != ECONNABORTED && errno != EINTR) return;
    }
}

void Reactor::admit(int fd, Listener& listener, const PeerAddress& address) {
    Poco::Net::StreamSocket socket(new Poco::Net::StreamSocketImpl(fd));  // Closes it from here on.
    Link::Peer peer{.address = address, .control = listener.control};
    peer.trusted = !peer.control && context_.trusted_proxies.contains(address);
    if (context_.connections >= context_.config.connections && !peer.control)
        return context_.reject("connections");
    if (!peer.control && !peer.trusted && !address.is_loopback()) {
        if (!context_.addresses.enter(address, context_.config.connections_per_address))
            return context_.reject("connections_per_address");
        peer.counted = true;
    }
    if (!peer.control) {
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    std::unique_ptr<TlsStream> tls;
    if (context_.tls && !peer.control)
        tls = std::make_unique<TlsStream>(context_.tls->current(), fd);
    const uint64_t id = ++last_id_;
    const auto& connection = connections_[id] = std::make_unique<HttpConnection>(
        *this, Link(context_, std::move(socket), id, peer, std::move(tls)));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = id;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->fd(), &event) != 0) connections_.erase(id);
}

void Reactor::handle(uint64_t id, uint32_t events) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    found->second->on_events(events);
    settle(*found->second);
}

void Reactor::take_answers() {
    for (Inbox::Item& item : inbox_->take()) {
        const auto found = connections_.find(item.connection);
        if (found == connections_.end()) {
            context_.leave_exchange();  // The client went away meanwhile.
            continue;
        }
        found->second->on_answer(std::move(item));
        settle(*found->second);
    }
    for (SocketWork& work : inbox_->take_work()) take_work(std::move(work));
}

void Reactor::take_work(SocketWork work) {
    const auto found = connections_.find(work.connection);
    if (found == connections_.end()) return;
    found->second->on_work(std::move(work));
    settle(*found->second);
}

void Reactor::go_on_with_put_off() {
    for (const uint64_t id : std::exchange(put_off_, {}))
        take_work({.connection = id, .head = {}, .go_on = true});
}

void Reactor::say_stopping() {
    listen(false);
    if (std::exchange(said_stopping_, true)) return;
    std::vector<uint64_t> ids;
    for (const auto& [id, connection] : connections_) ids.push_back(id);
    for (const uint64_t id : ids) {
        ServerConnection& connection = *connections_.at(id);
        connection.on_stopping();
        settle(connection);
    }
}

void Reactor::wake_at(ServerConnection& connection) {
    const int64_t due = TimerWheel::tick_of(connection.deadline());
    if (connection.scheduled != 0 && connection.scheduled <= due) return;
    connection.scheduled = wheel_.add(connection.id(), due);
}

void Reactor::ring_deadlines() {
    wheel_.advance(now_, [this](uint64_t id, int64_t due) {
        const auto found = connections_.find(id);
        if (found == connections_.end() || found->second->scheduled != due) return;
        ServerConnection& connection = *found->second;
        connection.scheduled = 0;
        if (connection.deadline() <= now_)
            connection.on_deadline();
        else if (connection.deadline() != TimerWheel::Time::max())
            wake_at(connection);
        settle(connection);
    });
}

// The connection may be gone afterwards.
void Reactor::settle(ServerConnection& connection) {
    const uint64_t id = connection.id();
    if (connection.closed()) {
        connections_.erase(id);
    } else if (auto next = connection.successor()) {
        connections_[id] = std::move(next);
        settle(*connections_[id]);
    }
}

void Reactor::close_all() {
    look_at_clock();
    for (const auto& [id, connection] : connections_) connection->finish();
    inbox_->close();
    connections_.clear();
}

}  // namespace patchbay
