// For the tests of server and client: a server on a port the system chose, and sockets that say
// exactly what they are told.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "http/peer.hpp"
#include "http/problem.hpp"
#include "http/server.hpp"
#include "http/stages.hpp"
#include "http/tls_client_test.hpp"

namespace patchbay::testing_http {

using namespace std::chrono_literals;

/// Longest wait for something that is sure to come.
constexpr int patience_ms = 20'000;

struct Answer {
    int status = 0;
    std::string head, body;

    std::string header(std::string_view name) const {
        const std::string key = "\r\n" + std::string(name) + ": ";
        const size_t at = head.find(key);
        if (at == std::string::npos) return {};
        return head.substr(at + key.size(), head.find("\r\n", at + 2) - at - key.size());
    }
};

/// Where a provider played by a test listens: a port of its own on loopback. The one who accepts
/// ends with it.
class ListeningSocket {
public:
    ListeningSocket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        ::bind(fd_, reinterpret_cast<const sockaddr*>(&here), size);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&here), &size);
        port_ = ntohs(here.sin_port);
        ::listen(fd_, 64);
    }
    ~ListeningSocket() { ::close(fd_); }
    ListeningSocket(const ListeningSocket&) = delete;
    ListeningSocket& operator=(const ListeningSocket&) = delete;

    /// Blocks; -1 after shut_down().
    int accept() const { return ::accept(fd_, nullptr, nullptr); }
    void shut_down() const { ::shutdown(fd_, SHUT_RDWR); }
    std::string port() const { return std::to_string(port_); }

private:
    int fd_;
    uint16_t port_ = 0;
};

enum class Wire { plain, tls };

/// A blocking client socket.
class RawClient {
public:
    explicit RawClient(uint16_t port, Wire wire = Wire::plain, uint32_t address = INADDR_LOOPBACK)
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(address);
        connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
        // Each send is a packet, also where many small ones follow each other.
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (wire == Wire::tls && connected_) start_tls();
    }
    explicit RawClient(const std::string& path)
        : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        std::memcpy(to.sun_path, path.data(), path.size());
        connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    }
    RawClient(RawClient&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)),
          connected_(other.connected_),
          tls_(std::move(other.tls_)),
          input_(std::move(other.input_)) {}
    ~RawClient() {
        if (fd_ >= 0) ::close(fd_);
    }

    /// From here on what is sent and received goes through TLS.
    void start_tls(const TlsWishes& wishes = {}) {
        tls_ = std::make_unique<TlsClient>(fd_, wishes);
        connected_ = tls_->connected();
    }
    TlsClient& tls() { return *tls_; }

    bool connected() const { return connected_; }
    RawClient& send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t wrote = tls_ ? tls_->send(bytes.data(), bytes.size())
                                       : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (wrote <= 0) break;
            bytes.remove_prefix(static_cast<size_t>(wrote));
        }
        return *this;
    }
    void end_sending() {
        if (tls_) tls_->end_sending();
        ::shutdown(fd_, SHUT_WR);
    }

    /// More bytes within `wait_ms`: 1 yes, 0 the peer ended, -1 none came.
    int more(int wait_ms = patience_ms) {
        char buffer[16384];
        ssize_t got = -1;
        while (got < 0) {
            pollfd poll_for{fd_, POLLIN, 0};
            const bool waits = !tls_ || !tls_->has_pending();
            if (waits && ::poll(&poll_for, 1, wait_ms) <= 0) return -1;
            got = tls_ ? tls_->receive(buffer, sizeof buffer)
                       : std::max<ssize_t>(::recv(fd_, buffer, sizeof buffer, 0), 0);
        }
        if (got == 0) return 0;
        input_.append(buffer, static_cast<size_t>(got));
        return 1;
    }

    /// The next answer whole; status 0 when the connection ended before.
    Answer answer(bool without_body = false) {
        size_t end = std::string::npos;
        while ((end = input_.find("\r\n\r\n")) == std::string::npos)
            if (more() != 1) return {};
        Answer answer;
        answer.head = input_.substr(0, end + 2);
        answer.status = std::stoi(answer.head.substr(9, 3));
        input_.erase(0, end + 4);
        const std::string length = answer.header("Content-Length");
        const size_t size = without_body || length.empty() ? 0 : std::stoul(length);
        while (input_.size() < size)
            if (more() != 1) break;
        answer.body = input_.substr(0, size);
        input_.erase(0, size);
        return answer;
    }
    bool ended() {
        while (true) {
            const int got = more();
            if (got != 1) return got == 0;
        }
    }
    /// What came and was not read as an answer.
    const std::string& input() const { return input_; }
    void drop(size_t bytes) { input_.erase(0, bytes); }

private:
    int fd_;
    bool connected_ = false;
    std::unique_ptr<TlsClient> tls_;
    std::string input_;
};

inline std::string get(std::string_view path, std::string_view more = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}

inline std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// A server with a manual clock; add routes before start().
class TestServer {
public:
    explicit TestServer(ServerConfig config = {}, Wire wire = Wire::plain)
        : config_(std::move(config)), wire_(wire) {
        if (config_.listen == ServerConfig{}.listen) config_.listen = "127.0.0.1:0";
        if (wire == Wire::plain || !config_.tls.certificate.empty()) return;
        config_.tls.certificate = shared_keys().certificate;
        config_.tls.key = shared_keys().key;
    }

    void route(RouteSpec spec, Handler handler) { router.add(std::move(spec), std::move(handler)); }
    /// Answers with its own request's body.
    void echo(const std::string& path, RunsOn where = RunsOn::worker) {
        route({.name = "echo",
               .method = "POST",
               .path = path,
               .body = BodyKind::any,
               .max_body_bytes = 1 << 20,
               .runs_on = where},
              [this](const ExchangePtr& exchange) {
                  ++handled;
                  exchange->answer({.body = exchange->request().body});
              });
    }
    void start() {
        server = std::make_unique<Server>(
            config_, clock, ids, router,
            RequestPipeline{answer_errors, find_route(router), check_body, dispatch});
        server->start();
    }
    RawClient client() { return RawClient(server->port(), wire_); }
    Answer ask(const std::string& bytes) { return client().send(bytes).answer(); }

    ManualClock clock;
    Ids ids{clock};
    Router router;
    std::atomic<int> handled{0};
    std::unique_ptr<Server> server;

private:
    ServerConfig config_;
    const Wire wire_;
};

/// Something two threads wait for.
class Gate {
public:
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return open_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

/// For states that other threads reach without telling: looks again until `fine`, or fails.
inline void eventually(const std::function<bool()>& fine) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
    while (!fine()) {
        ASSERT_LT(std::chrono::steady_clock::now(), until) << "it never came true";
        std::this_thread::yield();
    }
}

}  // namespace patchbay::testing_http
