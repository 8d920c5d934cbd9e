// Many clients that do next to nothing, and one that asks: how long a new connection with one
// request takes, without the others and with them.
//
//   bench_connections PORT TARGET TOKEN IDLE SLOW REQUESTS
//
// An idle client has asked once and asks again before the server would close it (15 s). A slow one
// sends a body of 1 MiB at 1.25 KiB/s, a little above what the server cuts off.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Server {
    uint16_t port;
    std::string target, token;

    std::string request(size_t body, size_t sent, const char* more = "") const {
        return "POST " + target + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" +
               "Authorization: Bearer " + token + "\r\n" + more +
               "Content-Length: " + std::to_string(body) + "\r\n\r\n" +
               std::string("{\"text\": \"").append(body - 12, 'x').append("\"}").substr(0, sent);
    }
};

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(EXIT_FAILURE);
}

int connect_to(const Server& server) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* address = reinterpret_cast<const sockaddr*>(&to);
    if (fd < 0 || ::connect(fd, address, sizeof to) != 0) fail("connect");
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

void send_all(int fd, const std::string& bytes) {
    if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
        fail("send");
}

/// Answers are small: one read has them whole.
bool answered_200(int fd) {
    char buffer[2048];
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    return got > 12 && std::string(buffer + 9, 3) == "200";
}

struct Times {
    double p50, p99;
};

/// Connections one after the other, each with one request.
Times measure(const Server& server, size_t count) {
    const std::string request = server.request(1024, 1024, "Connection: close\r\n");
    std::vector<double> times;
    for (size_t i = 0; i < count; ++i) {
        const auto began = Clock::now();
        const int fd = connect_to(server);
        send_all(fd, request);
        if (!answered_200(fd)) fail("no 200");
        times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
        ::close(fd);
    }
    std::ranges::sort(times);
    return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

/// Keeps its clients as they are until it ends.
class Crowd {
public:
    Crowd(const Server& server, size_t idle, size_t slow) : request_(server.request(64, 64)) {
        for (size_t i = 0; i < idle; ++i) {
            idle_.push_back(connect_to(server));
            send_all(idle_.back(), request_);
            if (!answered_200(idle_.back())) fail("no 200 for an idle client");
        }
        for (size_t i = 0; i < slow; ++i) {
            slow_.push_back(connect_to(server));
            send_all(slow_.back(), server.request(1 << 20, 512));
        }
        thread_ = std::thread([this] { keep(); });
    }
    ~Crowd() {
        stop_ = true;
        thread_.join();
        for (const int fd : idle_) ::close(fd);
        for (const int fd : slow_) ::close(fd);
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    size_t lost() const { return lost_; }

private:
    // Each turn serves a small part of them, so that they come evenly and not in bursts.
    void keep() {
        constexpr auto turn = 1ms;
        constexpr size_t slow_turns = 100, idle_turns = 8000;  // 128 bytes every 100 ms; 8 s.
        const std::string drop(128, 'x');
        auto next = Clock::now();
        for (size_t i = 0; !stop_; ++i) {
            for (size_t k = i % slow_turns; k < slow_.size(); k += slow_turns)
                if (::send(slow_[k], drop.data(), drop.size(), MSG_NOSIGNAL) < 0) ++lost_;
            for (size_t k = i % idle_turns; k < idle_.size(); k += idle_turns) ask(idle_[k]);
            std::this_thread::sleep_until(next += turn);
        }
    }

    // The answer to the former time's request is read before the next one.
    void ask(int fd) {
        char buffer[2048];
        const ssize_t got = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN) ||
            ::send(fd, request_.data(), request_.size(), MSG_NOSIGNAL) < 0)
            ++lost_;
    }

    const std::string request_;
    std::vector<int> idle_, slow_;
    std::atomic<bool> stop_{false};
    std::atomic<size_t> lost_{0};
    std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) return EXIT_FAILURE;
    const Server server{static_cast<uint16_t>(std::atoi(argv[1])), argv[2], argv[3]};
    const auto number = [&](int i) { return static_cast<size_t>(std::atol(argv[i])); };
    const size_t idle = number(4), slow = number(5), requests = number(6);
    measure(server, requests / 10);
    double alone = 0, among = 0;
    constexpr int rounds = 3;
    for (int round = 0; round < rounds; ++round) {
        const Times before = measure(server, requests);
        size_t lost = 0;
        Times with{};
        {
            const Crowd crowd(server, idle, slow);
            with = measure(server, requests);
            lost = crowd.lost();
        }
        std::printf(
            "alone p50 %5.0f us p99 %6.0f us   among %zu idle and %zu slow p50 %5.0f us p99 "
            "%6.0f us   %.2f\n",
            before.p50, before.p99, idle, slow, with.p50, with.p99, with.p99 / before.p99);
        if (lost > 0) {
            std::fprintf(stderr, "%zu of the clients were cut off: this counts for nothing\n",
                         lost);
            return EXIT_FAILURE;
        }
        alone += before.p99 / rounds;
        among += with.p99 / rounds;
    }
    std::printf("p99 among the others / alone: %.2f (to reach: below 3)\n", among / alone);
}
