// Sockets over TLS: the same connection class, so what could differ is how bytes leave and arrive.
#include <gmock/gmock.h>

#include "http/websocket_client_test.hpp"

namespace patchbay {
namespace {

using namespace testing_http;

TEST(WebSocketTls, EchoesAlsoWhatCameWithTheHandshake) {
    WebSocketServer hub{Wire::tls};
    RawClient raw = hub.client();
    const Answer opened = raw.send(handshake("/ws") + client_text("echo")).answer(true);
    EXPECT_EQ(opened.status, 101);
    while (raw.input().size() < 8) ASSERT_EQ(raw.more(), 1);
    EXPECT_EQ(raw.input(),
              "\x81\x06"
              "echoed");
}

TEST(WebSocketTls, CarriesLargeMessagesBothWays) {
    WebSocketServer hub{Wire::tls};
    WebSocketClient client = hub.connect();
    const std::string large(64 << 10, 'x');
    for (int i = 0; i < 20; ++i) client.say(large);
    client.say("echo");
    EXPECT_EQ(client.frame().payload, "echoed");
    EXPECT_EQ(hub.ear()->messages().size(), 21u);
    EXPECT_EQ(hub.ear()->messages().front(), large);
    const auto text = std::make_shared<const std::string>(large);
    for (int i = 0; i < 10; ++i) hub.ear()->socket()->send("{}", text);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(client.frame().payload, "{}" + large);
}

// What is encrypted when the queue is dropped has to leave all the same: the client reads whole
// frames up to the close.
TEST(WebSocketTls, S68ClosesASlowReaderBehindWholeFrames) {
    WebSocketServer hub{Wire::tls};
    WebSocketClient client = hub.connect();
    const auto slow = hub.ear()->socket();
    WebSocketClient quick = hub.connect();
    const auto text = std::make_shared<const std::string>(std::string(50'000, 'x'));
    for (int i = 0; i < 2000 && slow->queued() <= max_socket_queue; ++i) {
        slow->send({}, text);
        // What was asked before is done when this one comes.
        hub.ear()->socket()->send("next");
        EXPECT_EQ(quick.frame().payload, "next");
    }
    size_t frames = 0;
    Frame frame = client.frame();
    for (; frame.opcode == 1; frame = client.frame(), ++frames) ASSERT_EQ(frame.payload, *text);
    EXPECT_GT(frames, 1u);
    EXPECT_EQ(frame.close_code(), 1013);
}

TEST(WebSocketTls, EndsWithTheClosingHandshake) {
    WebSocketServer hub{Wire::tls};
    WebSocketClient client = hub.connect();
    client.send(client_close(1000, "bye"));
    expect_close(client, 1000);
    EXPECT_EQ(client.frame().opcode, -1);
    EXPECT_TRUE(client.raw().tls().closed_well());
    EXPECT_EQ(hub.ear()->closed_with, 1000);
}

TEST(WebSocketTls, G11ClosesWith1001WhenTheServerStops) {
    WebSocketServer hub{Wire::tls};
    WebSocketClient client = hub.connect();
    std::thread stopping([&] { hub.server->stop(20s); });
    EXPECT_EQ(client.frame().close_code(), 1001);
    client.send(client_close(1001));
    EXPECT_EQ(client.frame().opcode, -1);
    client.raw().end_sending();
    stopping.join();
}

}  // namespace
}  // namespace patchbay
