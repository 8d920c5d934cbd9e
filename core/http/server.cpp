#include "http/server.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/log.hpp"
#include "http/http_connection.hpp"
#include "http/reactor.hpp"
#include "http/worker_pool.hpp"

namespace patchbay {
namespace {

constexpr int backlog = 1024;
constexpr unsigned control_threads = 2;
constexpr size_t control_queue = 64;

class Pools final : public Executor {
public:
    explicit Pools(const ServerConfig& config)
        : workers_("http-worker", config.workers, config.worker_queue),
          control_("http-control", control_threads, control_queue) {}

    bool post(RunsOn where, std::function<void()> work) override {
        if (where == RunsOn::worker) return workers_.post(std::move(work));
        if (where == RunsOn::control) return control_.post(std::move(work));
        work();
        return true;
    }

    void stop() {
        workers_.stop();
        control_.stop();
    }

private:
    WorkerPool workers_, control_;
};

// Poco's sockets block and are inherited by child processes.
void make_ours(Poco::Net::ServerSocket& socket) {
    socket.setBlocking(false);
    ::fcntl(socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
}

std::shared_ptr<Listener> bind_tcp(const std::string& address) {
    try {
        const Poco::Net::SocketAddress where(address);
        auto listener = std::make_shared<Listener>();
        // The third argument says no to SO_REUSEPORT, which is Poco's default and would let two
        // servers share a port unnoticed.
        if (where.family() == Poco::Net::SocketAddress::IPv6)
            listener->socket.bind6(where, true, false, false);
        else
            listener->socket.bind(where, true, false);
        make_ours(listener->socket);
        return listener;
    } catch (const Poco::Exception& error) {
        throw Error(ErrorKind::unavailable,
                    "cannot listen on " + address + ": " + error.displayText());
    }
}

// A socket file that nobody answers is left over from a server that was killed.
void remove_stale_socket(const std::string& path, const sockaddr_un& address) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return;
    if (!S_ISSOCK(status.st_mode))
        throw Error(ErrorKind::unavailable, "cannot listen on " + path + ": a file is in the way");
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool answered =
        ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    if (answered)
        throw Error(ErrorKind::unavailable,
                    "cannot listen on " + path + ": another server is running");
    ::unlink(path.c_str());
}

std::shared_ptr<Listener> bind_control(const std::string& path) {
    sockaddr_un address{};
    if (path.size() >= sizeof address.sun_path)
        throw Error(ErrorKind::unavailable,
                    "cannot listen on " + path + ": the path is longer than 107 bytes");
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    remove_stale_socket(path, address);
    try {
        auto listener = std::make_shared<Listener>();
        listener->control = true;
        listener->socket.bind(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, path),
                              false, false);
        // Nobody can connect before listen(), so the mode is set in time.
        if (::chmod(path.c_str(), 0600) != 0)
            throw Error(ErrorKind::unavailable, "cannot set the mode of " + path);
        make_ours(listener->socket);
        return listener;
    } catch (const Poco::Exception& error) {
        throw Error(ErrorKind::unavailable,
                    "cannot listen on " + path + ": " + error.displayText());
    }
}

std::unique_ptr<TlsKeys> tls_keys(const ServerConfig& config) {
    if (config.tls.certificate.empty()) return nullptr;
    return std::make_unique<TlsKeys>(config.tls.certificate, config.tls.key);
}

}  // namespace

struct Server::Impl {
    Impl(const ServerConfig& config, const Clock& clock, Ids& ids, Router& router,
         RequestPipeline pipeline)
        : pools(std::make_shared<Pools>(config)),
          context{config,
                  clock,
                  ids,
                  router,
                  std::move(pipeline),
                  pools,
                  AddressList(config.trusted_proxies),
                  tls_keys(config)} {}

    std::shared_ptr<Pools> pools;
    ServerContext context;
    std::vector<std::shared_ptr<Listener>> listeners;
    std::vector<std::unique_ptr<Reactor>> reactors;
    uint16_t port = 0;
    bool started = false, stopped = false;
    std::mutex stop_mutex;

    void wake_all() {
        for (const auto& reactor : reactors) reactor->wake();
    }
};

Server::Server(const ServerConfig& config, const Clock& clock, Ids& ids, Router& router,
               RequestPipeline pipeline) {
    impl_ = std::make_unique<Impl>(config, clock, ids, router, std::move(pipeline));
    if (!config.listen.empty()) {
        impl_->listeners.push_back(bind_tcp(config.listen));
        impl_->port = impl_->listeners.back()->socket.address().port();
    }
    if (!config.control_socket.empty())
        impl_->listeners.push_back(bind_control(config.control_socket));
    for (unsigned i = 0; i < std::max(config.reactors, 1u); ++i)
        impl_->reactors.push_back(std::make_unique<Reactor>(impl_->context, impl_->listeners));
}

Server::~Server() { stop(std::chrono::milliseconds{0}); }

void Server::start() {
    impl_->started = true;
    impl_->context.listening = impl_->reactors.size();
    for (const auto& listener : impl_->listeners) listener->socket.listen(backlog);
    for (const auto& reactor : impl_->reactors) reactor->start();
}

uint16_t Server::port() const { return impl_->port; }

ServerStats Server::stats() const {
    ServerStats stats;
    ServerContext& context = impl_->context;
    stats.connections = context.connections;
    stats.websockets = context.websockets;
    stats.in_flight = context.in_flight;
    stats.requests = context.requests;
    for (const auto& reactor : impl_->reactors) stats.wake_ups += reactor->wake_ups();
    const std::lock_guard lock(context.mutex);
    stats.rejected = context.rejected;
    return stats;
}

void Server::stop(std::chrono::milliseconds grace) {
    const std::lock_guard lock(impl_->stop_mutex);
    if (std::exchange(impl_->stopped, true)) return;
    ServerContext& context = impl_->context;
    context.stopping = true;
    impl_->wake_all();
    if (impl_->started && !context.wait_until_idle(grace))
        log_warn("http", "requests were still under way at the end",
                 {{"count", std::to_string(context.in_flight)}});
    context.finished = true;
    impl_->wake_all();
    for (const auto& reactor : impl_->reactors) reactor->join();
    impl_->pools->stop();
    impl_->listeners.clear();
    if (!context.config.control_socket.empty()) ::unlink(context.config.control_socket.c_str());
}

}  // namespace patchbay
