// Thousands of sockets of /ws in one process, which only listen, and one that never reads. Driven
// by websockets.mjs over standard input, a command to a line; answers a line of JSON to each.
//
//   open COUNT TOPIC TOKENS_FILE   that many sockets, each with one of the tokens, listening to
//   TOPIC typing CONVERSATION            says so on one of them, and waits until all have heard it
//   stall TOPIC TOKENS_FILE        one more socket, which is never read until `drain`
//   drain                          reads it to its end
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto patience = std::chrono::seconds(60);

double ms_since(Clock::time_point from) {
    return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

[[noreturn]] void fail(const std::string& text) {
    throw std::runtime_error(text + ": " + std::strerror(errno));
}

/// A client's frame; the mask is zero, which costs nothing.
std::string frame(const std::string& text) {
    std::string out = "\x81";
    if (text.size() < 126) {
        out += static_cast<char>(0x80 | text.size());
    } else {
        out += static_cast<char>(0x80 | 126);
        out += static_cast<char>(text.size() >> 8);
        out += static_cast<char>(text.size());
    }
    return out.append(4, '\0').append(text);
}

class Socket {
public:
    Socket(uint16_t port, const std::string& token, int receive_buffer)
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (fd_ < 0) fail("socket");
        if (receive_buffer > 0)
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        const int yes = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail("connect");
        send(
            "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Authorization: Bearer " +
            token + "\r\n\r\n");
        read_until("\r\n\r\n");
        if (!input_.starts_with("HTTP/1.1 101")) throw std::runtime_error(input_);
        input_.erase(0, input_.find("\r\n\r\n") + 4);
    }
    Socket(Socket&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), input_(std::move(other.input_)) {}
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }

    int fd() const { return fd_; }
    void send(const std::string& bytes) {
        if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(bytes.size()))
            fail("send");
    }
    void say(const std::string& text) { send(frame(text)); }

    /// Waits until `mark` has come and forgets everything that came.
    void await(const std::string& mark) {
        read_until(mark);
        input_.clear();
        input_.shrink_to_fit();
    }
    /// Takes what is there, without waiting, and answers pings. True when a text with `mark` came.
    bool heard(const std::string& mark) {
        char buffer[4096];
        ssize_t got = 0;
        while ((got = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
            input_.append(buffer, static_cast<size_t>(got));
        if (got == 0) throw std::runtime_error("a listener was cut off");
        bool found = false;
        while (input_.size() >= 2) {
            const bool is_long = (input_[1] & 0x7F) == 126;
            const size_t head = is_long ? 4 : 2;
            if (input_.size() < head) break;
            const size_t size = is_long ? static_cast<size_t>(static_cast<uint8_t>(input_[2]) << 8 |
                                                              static_cast<uint8_t>(input_[3]))
                                        : static_cast<uint8_t>(input_[1]);
            if (input_.size() < head + size) break;
            if ((input_[0] & 0x0F) == 9) send(std::string("\x8A\x80\0\0\0\0", 6));
            found |= input_.substr(head, size).find(mark) != std::string::npos;
            input_.erase(0, head + size);
        }
        return found;
    }
    /// All that still comes, until the end.
    std::string rest() {
        char buffer[65536];
        std::string out;
        ssize_t got = 0;
        while ((got = ::recv(fd_, buffer, sizeof buffer, 0)) > 0)
            out.append(buffer, static_cast<size_t>(got));
        return out;
    }

private:
    void read_until(const std::string& mark) {
        char buffer[4096];
        while (input_.find(mark) == std::string::npos) {
            const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
            if (got <= 0) throw std::runtime_error("the connection ended: " + input_);
            input_.append(buffer, static_cast<size_t>(got));
        }
    }
    int fd_;
    std::string input_;
};

class Listeners {
public:
    explicit Listeners(uint16_t port) : port_(port), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        watch(STDIN_FILENO, standard_input);
    }
    ~Listeners() { ::close(epoll_); }

    std::string open(size_t count, const std::string& topic, const std::string& file) {
        const auto tokens = lines_of(file);
        for (size_t i = 0; i < count; ++i) {
            sockets_.push_back(listener(tokens[sockets_.size() % tokens.size()], topic, 0));
            watch(sockets_.back().fd(), sockets_.size() - 1);
            if (i % 100 == 0) listen(0);
        }
        return "{\"open\":" + std::to_string(sockets_.size()) + "}";
    }

    /// How long it took until each had heard it.
    std::string typing(const std::string& conversation) {
        const auto began = Clock::now();
        times_.clear();
        began_ = began;
        sockets_.front().say(R"({"type":"typing","conversation_id":)" + conversation +
                             R"(,"is_typing":true})");
        while (times_.size() < sockets_.size()) {
            listen(1000);
            if (Clock::now() - began > patience)
                throw std::runtime_error(std::to_string(times_.size()) + " heard it");
        }
        std::sort(times_.begin(), times_.end());
        std::ostringstream out;
        out << "{\"p50\":" << times_[times_.size() / 2]
            << ",\"p99\":" << times_[times_.size() * 99 / 100] << ",\"last\":" << times_.back()
            << "}";
        return out.str();
    }

    /// Serves the sockets until there is a line on standard input.
    void wait_for_command() {
        while (!listen(1000)) continue;
    }

    std::string stall(const std::string& topic, const std::string& file) {
        stalled_.clear();
        stalled_.push_back(listener(lines_of(file).front(), topic, 4096));
        return "{}";
    }

    /// The close code that the one who never read finds at the end.
    std::string drain() {
        const std::string rest = stalled_.front().rest();
        stalled_.clear();
        const size_t at = rest.rfind('\x88');
        const bool is_close = at != std::string::npos && rest.size() >= at + 4;
        const int code = !is_close ? 0
                                   : static_cast<uint8_t>(rest[at + 2]) << 8 |
                                         static_cast<uint8_t>(rest[at + 3]);
        return "{\"bytes\":" + std::to_string(rest.size()) + ",\"code\":" + std::to_string(code) +
               "}";
    }

private:
    static constexpr uint64_t standard_input = UINT64_MAX;

    void watch(int fd, uint64_t number) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = number;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    }

    /// True when standard input has something.
    bool listen(int wait_ms) {
        const int count =
            ::epoll_wait(epoll_, ready_.data(), static_cast<int>(ready_.size()), wait_ms);
        bool has_input = false;
        for (int i = 0; i < count; ++i) {
            const uint64_t number = ready_[static_cast<size_t>(i)].data.u64;
            if (number == standard_input)
                has_input = true;
            else if (sockets_[number].heard("\"event\":\"typing\""))
                times_.push_back(ms_since(began_));
        }
        return has_input;
    }

    Socket listener(const std::string& token, const std::string& topic, int receive_buffer) const {
        Socket socket(port_, token, receive_buffer);
        socket.say(R"({"type":"subscribe","topics":[")" + topic + "\"]}");
        socket.await("\"subscribed\"");
        return socket;
    }
    static std::vector<std::string> lines_of(const std::string& file) {
        std::ifstream in(file);
        std::vector<std::string> lines;
        for (std::string line; std::getline(in, line);) lines.push_back(line);
        return lines;
    }

    const uint16_t port_;
    const int epoll_;
    std::vector<Socket> sockets_, stalled_;
    std::vector<epoll_event> ready_ = std::vector<epoll_event>(1024);
    std::vector<double> times_;  // Since `began_`, of those that have heard it.
    Clock::time_point began_;
};

std::string obey(Listeners& listeners, const std::string& line) {
    std::istringstream in(line);
    std::string command, first, second;
    in >> command;
    if (command == "open") {
        size_t count = 0;
        in >> count >> first >> second;
        return listeners.open(count, first, second);
    }
    in >> first >> second;
    if (command == "typing") return listeners.typing(first);
    if (command == "stall") return listeners.stall(first, second);
    if (command == "drain") return listeners.drain();
    throw std::runtime_error("no such command");
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 2) throw std::runtime_error("usage: bench_listeners PORT");
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    Listeners listeners(static_cast<uint16_t>(std::stoi(argv[1])));
    for (;;) {
        listeners.wait_for_command();
        std::string line;
        if (!std::getline(std::cin, line)) return 0;
        std::cout << obey(listeners, line) << std::endl;
    }
} catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 1;
}
