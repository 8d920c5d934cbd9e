// One epoll loop: sockets, deadlines and the answers that come back from other threads. Internal to
// the server.
#pragma once
#include <Poco/Net/ServerSocket.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "http/peer.hpp"
#include "http/server.hpp"
#include "http/timer_wheel.hpp"
#include "http/tls.hpp"
#include "http/websocket.hpp"

namespace patchbay {

class ServerConnection;

/// What all reactors of a server share. [any thread]
struct ServerContext {
    ServerConfig config;
    const Clock& clock;
    Ids& ids;
    Router& router;
    RequestPipeline pipeline;
    std::shared_ptr<Executor> executor;
    AddressList trusted_proxies;
    std::unique_ptr<TlsKeys> tls;  ///< Empty: the TCP listener speaks without.
    AddressCounts addresses{};
    std::atomic<size_t> connections{0}, websockets{0}, buffered{0};
    std::atomic<uint64_t> requests{0}, request_ids{0};
    const std::string id_prefix = request_id_prefix(ids.uuid());
    std::atomic<bool> stopping{false}, finished{false};
    std::atomic<size_t> listening{
        0};  ///< Reactors that still accept; the last one closes the sockets.

    /// "req-", time and chance of this start of the server, and a count. An id with random bytes of
    /// its own would cost a tenth of a small request.
    std::string new_request_id();
    static std::string request_id_prefix(const std::string& uuid);

    void reject(const char* reason);
    void enter_exchange() { ++in_flight; }
    void leave_exchange();
    void leave_websocket();
    /// Waits for exchanges and for the closing of sockets. False when exchanges are still under
    /// way at the end.
    bool wait_until_idle(std::chrono::milliseconds grace);

    std::atomic<size_t> in_flight{0};
    std::mutex mutex{};
    std::condition_variable idle{};
    std::map<std::string, uint64_t> rejected{};
};

struct Listener {
    Poco::Net::ServerSocket socket;
    bool control = false;
};

/// What others ask of a socket's connection.
struct SocketWork {
    uint64_t connection;
    std::string head;         ///< Begin of a frame; with a close code: the reason.
    SharedText text{};        ///< The frame's rest.
    uint16_t close_code = 0;  ///< Not 0: close.
    bool drained = false;     ///< Tell when the queue is empty.
    bool go_on = false;       ///< The reactor's own: write and read what was put off.
};

/// Answers and frames on their way to one reactor. Outlives it: an exchange may be answered after
/// the server is gone.
class Inbox {
public:
    struct Item {
        uint64_t connection, number;
        Response response;
        WebSocketHandlerPtr socket{};  ///< The connection becomes this one's socket.
    };

    Inbox();
    ~Inbox();
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;

    void post(Item item);        ///< [any thread] Costs a system call only when the reactor sleeps.
    void post(SocketWork work);  ///< [any thread] Likewise.
    void wake();                 ///< [any thread]
    int fd() const { return fd_; }

    // For the reactor:
    bool may_sleep();  ///< Announces sleep; false when there is something to take.
    void woke_up();
    std::vector<Item> take();
    std::vector<SocketWork> take_work();
    void close();  ///< From now on items are dropped.
    uint64_t wake_ups() const { return wake_ups_; }

private:
    int fd_;
    std::mutex mutex_;
    std::vector<Item> items_;
    std::vector<SocketWork> work_;
    bool sleeping_ = false, closed_ = false;
    std::atomic<uint64_t> wake_ups_{0};
};

class Reactor {
public:
    Reactor(ServerContext& context, std::vector<std::shared_ptr<Listener>> listeners);
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    void start();
    void wake() { inbox_->wake(); }  ///< After `stopping` or `finished` changed.
    void join();
    uint64_t wake_ups() const { return inbox_->wake_ups(); }

    // For its connections, on its thread:
    ServerContext& context() { return context_; }
    TimerWheel::Time now() const { return now_; }
    const std::string& date() const { return date_; }
    const std::shared_ptr<Inbox>& inbox() const { return inbox_; }
    char* buffer() { return buffer_.data(); }
    static constexpr size_t buffer_size = 64 << 10;
    void wake_at(ServerConnection& connection);  ///< Its deadline has changed.
    /// SocketWork::go_on comes before this turn ends, or in the next one when called by one.
    void go_on_later(uint64_t id) { put_off_.push_back(id); }

private:
    void run();
    void turn();
    void look_at_clock();
    void accept_from(Listener& listener);
    void admit(int fd, Listener& listener, const PeerAddress& address);
    void listen(bool on);
    void handle(uint64_t id, uint32_t events);
    void take_answers();
    void take_work(SocketWork work);
    void go_on_with_put_off();
    void say_stopping();
    void ring_deadlines();
    void settle(ServerConnection& connection);
    void close_all();

    ServerContext& context_;
    std::vector<std::shared_ptr<Listener>> listeners_;
    std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
    int epoll_;
    bool listening_ = false, said_stopping_ = false;
    std::chrono::steady_clock::time_point listen_again_{};
    TimerWheel::Time now_;
    TimerWheel wheel_;
    int64_t date_second_ = -1;
    std::string date_;
    std::vector<char> buffer_ = std::vector<char>(buffer_size);
    std::unordered_map<uint64_t, std::unique_ptr<ServerConnection>> connections_;
    std::vector<uint64_t> put_off_;
    uint64_t last_id_;
    std::thread thread_;
};

}  // namespace patchbay
