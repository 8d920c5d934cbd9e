// For tests of WebSockets: a client that masks its frames and reads the server's, and a server with
// handlers that can be asked.
#pragma once
#include "http/loopback_test.hpp"
#include "http/websocket.hpp"
#include "http/websocket_codec.hpp"

namespace patchbay::testing_http {

/// A frame as a client sends it: masked, with the first byte and the length as told.
inline std::string client_frame(uint8_t first_byte, std::string_view payload) {
    std::string frame = frame_header(FrameKind::text, payload.size());
    frame[0] = static_cast<char>(first_byte);
    frame[1] = static_cast<char>(frame[1] | 0x80);
    const std::string mask = "\x12\xA4\x9b\x01";
    frame += mask;
    for (size_t i = 0; i < payload.size(); ++i)
        frame += static_cast<char>(payload[i] ^ mask[i % 4]);
    return frame;
}
inline std::string client_text(std::string_view text) { return client_frame(0x81, text); }
inline std::string client_close(uint16_t code, std::string_view reason = "") {
    return client_frame(
        0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code)}.append(reason));
}

inline std::string handshake(std::string_view path, std::string_view more = "") {
    return get(path, std::string("Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
                                 "Sec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
                         .append(more));
}

struct Frame {
    int opcode = -1;  ///< -1: the connection ended.
    std::string payload;
    uint16_t close_code() const {
        if (opcode != 8 || payload.size() < 2) return 0;
        return static_cast<uint16_t>(static_cast<uint8_t>(payload[0]) << 8 |
                                     static_cast<uint8_t>(payload[1]));
    }
};

class WebSocketClient {
public:
    WebSocketClient(uint16_t port, std::string_view path, std::string_view more = "",
                    Wire wire = Wire::plain)
        : raw_(port, wire) {
        opened_ = raw_.send(handshake(path, more)).answer(true);
    }
    const Answer& opened() const { return opened_; }
    WebSocketClient& send(std::string_view bytes) {
        raw_.send(bytes);
        return *this;
    }
    WebSocketClient& say(std::string_view text) { return send(client_text(text)); }

    /// The next frame, whatever it is.
    Frame frame() {
        while (true) {
            if (auto frame = take()) return *frame;
            if (raw_.more() != 1) return {};
        }
    }
    bool anything_within(int wait_ms) { return has_frame() || raw_.more(wait_ms) == 1; }
    bool has_frame() {
        if (kept_) return true;
        kept_ = take();
        return kept_.has_value();
    }
    /// Answers the server's close and sees the connection end.
    bool close_cleanly() {
        raw_.send(client_close(1000));
        while (frame().opcode >= 0) continue;
        return true;
    }
    RawClient& raw() { return raw_; }

private:
    std::optional<Frame> take() {
        if (kept_) return std::exchange(kept_, std::nullopt);
        const std::string& in = raw_.input();
        if (in.size() < 2) return std::nullopt;
        EXPECT_EQ(in[1] & 0x80, 0) << "a server's frame is not masked";
        size_t size = in[1] & 0x7F, at = 2;
        const size_t extended = size == 126 ? 2 : size == 127 ? 8 : 0;
        if (in.size() < at + extended) return std::nullopt;
        if (extended > 0) size = 0;
        for (size_t i = 0; i < extended; ++i) size = size << 8 | static_cast<uint8_t>(in[at++]);
        if (in.size() < at + size) return std::nullopt;
        Frame frame{in[0] & 0x0F, in.substr(at, size)};
        raw_.drop(at + size);
        return frame;
    }

    RawClient raw_;
    Answer opened_;
    std::optional<Frame> kept_;
};

/// Remembers what it is told and can be waited for.
class Ear final : public WebSocketHandler {
public:
    void on_open(const WebSocketPtr& opened) override {
        const std::lock_guard lock(mutex_);
        socket_ = opened;
    }
    void on_message(std::string text) override {
        if (text == "echo") socket_->send("echoed");
        const std::lock_guard lock(mutex_);
        messages_.push_back(std::move(text));
    }
    void on_drained() override { ++drained; }
    void on_close(uint16_t code) override { closed_with = code; }

    WebSocketPtr socket() {
        const std::lock_guard lock(mutex_);
        return socket_;
    }
    std::vector<std::string> messages() {
        const std::lock_guard lock(mutex_);
        return messages_;
    }
    std::atomic<int> closed_with{0}, drained{0};

private:
    std::mutex mutex_;
    WebSocketPtr socket_;
    std::vector<std::string> messages_;
};

class WebSocketServer : public TestServer {
public:
    explicit WebSocketServer(Wire wire = Wire::plain) : TestServer({}, wire), wire_(wire) {
        route({.name = "live",
               .method = "GET",
               .path = "/ws",
               .runs_on = RunsOn::worker,
               .socket = true},
              [this](const ExchangePtr& exchange) {
                  auto ear = std::make_shared<Ear>();
                  {
                      const std::lock_guard lock(mutex_);
                      ears_.push_back(ear);
                  }
                  exchange->upgrade(std::move(ear));
              });
        start();
    }
    WebSocketClient connect(std::string_view more = "") {
        WebSocketClient client(server->port(), "/ws", more, wire_);
        EXPECT_EQ(client.opened().status, 101);
        eventually([&] { return ear() && ear()->socket(); });
        return client;
    }
    /// The newest socket's.
    std::shared_ptr<Ear> ear() {
        const std::lock_guard lock(mutex_);
        return ears_.empty() ? nullptr : ears_.back();
    }

private:
    const Wire wire_;
    std::mutex mutex_;
    std::vector<std::shared_ptr<Ear>> ears_;
};

inline void expect_close(WebSocketClient& client, uint16_t code) {
    Frame frame = client.frame();
    while (frame.opcode >= 0 && frame.opcode != 8) frame = client.frame();
    EXPECT_EQ(frame.close_code(), code) << frame.payload;
}

}  // namespace patchbay::testing_http
