#include "http/websocket.hpp"

#include <gmock/gmock.h>

#include "http/websocket_client_test.hpp"

namespace patchbay {
namespace {

using namespace testing_http;

TEST(WebSocket, OpensWithTheHandshakeOfTheRfc) {
    WebSocketServer hub;
    WebSocketClient client = hub.connect("X-Request-Id: mine\r\n");
    EXPECT_EQ(client.opened().header("Upgrade"), "websocket");
    EXPECT_EQ(client.opened().header("Connection"), "Upgrade");
    EXPECT_EQ(client.opened().header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(client.opened().header("x-request-id"), "mine");
    EXPECT_EQ(client.opened().header("Content-Length"), "");
    EXPECT_EQ(hub.server->stats().websockets, 1u);
}

struct RefusedCase {
    const char* name;
    std::string request;
    int status;
};
const RefusedCase refused_cases[] = {
    {"no upgrade", get("/ws"), 426},
    {"HEAD", "HEAD /ws HTTP/1.1\r\nHost: h\r\n\r\n", 426},
    {"another protocol",
     get("/ws",
         "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
     426},
    {"version 8",
     get("/ws",
         "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
     426},
    {"no key",
     get("/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"), 400},
    {"a key of 4 bytes",
     get("/ws",
         "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: YWJjZA==\r\n"),
     400},
    {"two keys", handshake("/ws", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), 400},
};

TEST(WebSocket, S67RefusesWhatIsNoHandshake) {
    WebSocketServer hub;
    for (const auto& [name, request, status] : refused_cases) {
        SCOPED_TRACE(name);
        const Answer answer = hub.client().send(request).answer(name == std::string("HEAD"));
        EXPECT_EQ(answer.status, status);
        if (status == 426) {
            EXPECT_EQ(answer.header("Sec-Websocket-Version"), "13");
            EXPECT_EQ(answer.header("Upgrade"), "websocket");
        }
    }
}

TEST(WebSocket, CarriesMessagesBothWays) {
    WebSocketServer hub;
    WebSocketClient client = hub.connect();
    client.say("hello").say("echo");
    EXPECT_EQ(client.frame().payload, "echoed");
    EXPECT_THAT(hub.ear()->messages(), testing::ElementsAre("hello", "echo"));
    hub.ear()->socket()->send("a", std::make_shared<const std::string>("b"));
    EXPECT_EQ(client.frame().payload, "ab");
}

TEST(WebSocket, TakesFramesThatComeWithTheHandshake) {
    WebSocketServer hub;
    RawClient client = hub.client();
    client.send(handshake("/ws") + client_text("early"));
    EXPECT_EQ(client.answer(true).status, 101);
    eventually([&] { return hub.ear() && hub.ear()->messages().size() == 1; });
}

TEST(WebSocket, AnswersPingsItself) {
    WebSocketServer hub;
    WebSocketClient client = hub.connect();
    const Frame frame = client.send(client_frame(0x89, "are you there")).frame();
    EXPECT_EQ(frame.opcode, 10);
    EXPECT_EQ(frame.payload, "are you there");
}

TEST(WebSocket, AnswersACloseAndEnds) {
    WebSocketServer hub;
    WebSocketClient client = hub.connect();
    client.send(client_close(1000));
    EXPECT_EQ(client.frame().close_code(), 1000);
    EXPECT_EQ(client.frame().opcode, -1);
    EXPECT_EQ(hub.ear()->closed_with, 1000);
}

TEST(WebSocket, S68SaysWhyItCloses) {
    struct {
        const char* name;
        std::string bytes;
        uint16_t code;
    } const cases[] = {
        {"not masked",
         std::string("\x81\x01"
                     "a"),
         1002},
        {"binary", client_frame(0x82, "a"), 1003},
        {"not UTF-8", client_text("\xFF"), 1007},
        {"65,537 bytes, and all of them sent", client_text(std::string(65'537, 'x')), 1009},
        {"2 GiB announced", std::string("\x81\xFF\0\0\0\0\x80\0\0\0abcd", 14), 1009},
    };
    WebSocketServer hub;
    for (const auto& [name, bytes, code] : cases) {
        SCOPED_TRACE(name);
        WebSocketClient client = hub.connect();
        client.send(bytes);
        expect_close(client, code);
        EXPECT_EQ(client.frame().opcode, -1);
        EXPECT_EQ(hub.ear()->closed_with, code);
    }
}

TEST(WebSocket, S68TakesFiftyMessagesInASecondAndClosesAtMore) {
    WebSocketServer hub;
    WebSocketClient client = hub.connect();
    for (int i = 0; i < 50; ++i) client.say("x");
    client.say("echo");
    expect_close(client, 1008);
    EXPECT_EQ(hub.ear()->messages().size(), 50u);
}

TEST(WebSocket, S68TakesMoreWhenTimePasses) {
    WebSocketServer hub;
    WebSocketClient client = hub.connect();
    for (int round = 1; round <= 3; ++round) {
        for (int i = 0; i < 49; ++i) client.say("x");
        EXPECT_EQ(client.say("echo").frame().payload, "echoed");
        hub.clock.advance(1100ms);
    }
}

TEST(WebSocket, S68ClosesASlowReaderAndServesTheOthers) {
    WebSocketServer hub;
    WebSocketClient slow = hub.connect();
    const auto slow_ear = hub.ear();
    WebSocketClient quick = hub.connect();
    const auto quick_ear = hub.ear();
    const auto text = std::make_shared<const std::string>(std::string(16 << 10, 'x'));
    // The system's buffers take some megabytes before anything waits with us.
    for (int i = 0; i < 2000 && slow_ear->socket()->queued() <= max_socket_queue; ++i) {
        slow_ear->socket()->send({}, text);
        quick_ear->socket()->send({}, text);
        EXPECT_EQ(quick.frame().payload.size(), text->size());
    }
    EXPECT_GT(slow_ear->socket()->queued(), max_socket_queue);
    // What was asked before the echo is done when the echo comes. The client's half of the closing
    // never comes, so a deadline ends it.
    EXPECT_EQ(quick.say("echo").frame().payload, "echoed");
    hub.clock.advance(2100ms);
    eventually([&] { return slow_ear->closed_with == 1013; });
    quick_ear->socket()->send("still here");
    EXPECT_EQ(quick.frame().payload, "still here");
}

TEST(WebSocket, PingsEveryThirtySecondsAndDropsWhoIsSilent) {
    WebSocketServer hub;
    WebSocketClient client = hub.connect();
    hub.clock.advance(30'100ms);
    EXPECT_EQ(client.frame().opcode, 9);
    client.send(client_frame(0x8A, "") + client_text("echo"));
    EXPECT_EQ(client.frame().payload, "echoed");
    hub.clock.advance(30'100ms);
    EXPECT_EQ(client.frame().opcode, 9);
    hub.clock.advance(30'100ms);
    EXPECT_EQ(client.frame().opcode, -1);
    eventually([&] { return hub.ear()->closed_with == 1006; });
}

TEST(WebSocket, G11ClosesWith1001WhenTheServerStops) {
    WebSocketServer hub;
    WebSocketClient client = hub.connect();
    std::thread stopping([&] { hub.server->stop(20s); });
    const Frame frame = client.frame();
    EXPECT_EQ(frame.close_code(), 1001);
    EXPECT_EQ(frame.payload.substr(2), "retry_in=5");
    client.send(client_close(1001));
    EXPECT_EQ(client.frame().opcode, -1);
    client.raw().end_sending();
    stopping.join();
    EXPECT_EQ(hub.ear()->closed_with, 1001);
}

TEST(WebSocket, SendsACloseBehindWhatWasSent) {
    WebSocketServer hub;
    WebSocketClient client = hub.connect();
    hub.ear()->socket()->send("last words");
    hub.ear()->socket()->close(close_code::signed_out, "signed out");
    hub.ear()->socket()->send("too late");
    EXPECT_EQ(client.frame().payload, "last words");
    const Frame frame = client.frame();
    EXPECT_EQ(frame.close_code(), 4401);
    EXPECT_EQ(frame.payload.substr(2), "signed out");
}

TEST(WebSocket, TellsWhenAllHasLeft) {
    WebSocketServer hub;
    WebSocketClient client = hub.connect();
    hub.ear()->socket()->send("x");
    hub.ear()->socket()->tell_when_drained();
    eventually([&] { return hub.ear()->drained == 1; });
    EXPECT_EQ(hub.ear()->socket()->queued(), 0u);
    EXPECT_EQ(client.frame().payload, "x");
}

TEST(WebSocket, EndsWhenTheClientIsGone) {
    WebSocketServer hub;
    { WebSocketClient client = hub.connect(); }
    eventually([&] { return hub.ear()->closed_with == 1006; });
    eventually([&] { return hub.server->stats().websockets == 0; });
}

}  // namespace
}  // namespace patchbay
