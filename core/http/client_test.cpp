#include "http/client.hpp"

#include <gmock/gmock.h>

#include <deque>
#include <thread>

#include "http/loopback_test.hpp"

namespace patchbay {
namespace {

using namespace testing_http;
using testing::HasSubstr;
using testing::Not;

/// Plays a provider: each connection that comes is given to the next script, which speaks on the
/// raw socket.
class ScriptedServer {
public:
    /// Reads and writes of one connection.
    class Peer {
    public:
        explicit Peer(int fd) : fd_(fd) {}
        /// The next request whole; empty when the connection ended.
        std::string request() {
            std::string text;
            char c = 0;
            while (!text.ends_with("\r\n\r\n")) {
                if (::recv(fd_, &c, 1, 0) <= 0) return {};
                text += c;
            }
            const size_t at = text.find("Content-Length: ");
            size_t left = at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
            for (; left > 0 && ::recv(fd_, &c, 1, 0) > 0; --left) text += c;
            return text;
        }
        void say(std::string_view bytes) { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
        /// For ever, until the other side ends it.
        void flood(const std::string& bytes) {
            while (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) continue;
        }
        void wait_for_end() {
            char c = 0;
            while (::recv(fd_, &c, 1, 0) > 0) continue;
        }

    private:
        int fd_;
    };
    using Script = std::function<void(Peer&)>;

    explicit ScriptedServer(std::vector<Script> scripts) {
        thread_ = std::thread([this, scripts = std::move(scripts)] {
            for (const Script& script : scripts) {
                const int fd = listener_.accept();
                if (fd < 0) return;
                ++connections;
                Peer peer(fd);
                script(peer);
                ::close(fd);
            }
        });
    }
    ~ScriptedServer() {
        listener_.shut_down();
        thread_.join();
    }
    std::string url(const std::string& path = "/") const {
        return "http://127.0.0.1:" + listener_.port() + path;
    }

    std::atomic<int> connections{0};

private:
    ListeningSocket listener_;
    std::thread thread_;
};

using Peer = ScriptedServer::Peer;
const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\nok";

/// What a call that must fail says about the request: nullopt when it did not fail.
std::optional<bool> request_left(HttpClient& client, const Request& request,
                                 const HttpOptions& options = {}) {
    try {
        client.call(request, options);
    } catch (const ConnectionFailed& failed) {
        return failed.request_left;
    }
    return std::nullopt;
}

TEST(HttpClientCall, SendsWhatItIsGivenAndReturnsTheAnswer) {
    std::string seen;
    ScriptedServer server({[&](Peer& peer) {
        seen = peer.request();
        peer.say(fine);
    }});
    HttpClient client;
    const Response response =
        client.call({.method = "PUT",
                     .url = server.url("/x?y=1"),
                     .body = "hello",
                     .headers = {{"authorization", "Basic eA=="}, {"x-empty", ""}}},
                    {});
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "ok");
    EXPECT_EQ(response.header("x-a"), "1, 2");
    EXPECT_THAT(seen, testing::StartsWith("PUT /x?y=1 HTTP/1.1\r\n"));
    EXPECT_THAT(seen, HasSubstr("authorization: Basic eA==\r\n"));
    EXPECT_THAT(seen, HasSubstr("x-empty:"));
    EXPECT_THAT(seen, testing::EndsWith("\r\n\r\nhello"));
    EXPECT_THAT(seen, Not(HasSubstr("Content-Type")));
    EXPECT_THAT(seen, Not(HasSubstr("Accept-Encoding"))) << "S53";
}

TEST(HttpClientCall, KeepsConnectionsOverCallsAndThreads) {
    ScriptedServer server({[&](Peer& peer) {
        while (!peer.request().empty()) peer.say(fine);
    }});
    HttpClient client;
    for (int i = 0; i < 20; ++i) {
        std::thread([&] {
            EXPECT_EQ(client.call({.method = "POST", .url = server.url(), .body = "x"}, {}).status,
                      200);
        }).join();
    }
    EXPECT_EQ(server.connections, 1);
    client.stop();
}

TEST(HttpClientCall, FollowsNoRedirectAndTakesAnAnswerAfterContinue) {
    ScriptedServer server({[&](Peer& peer) {
        peer.request();
        peer.say(
            "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 302 Found\r\nLocation: "
            "http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    }});
    HttpClient client;
    const Response response = client.call({.url = server.url()}, {});
    EXPECT_EQ(response.status, 302) << "S52";
    EXPECT_FALSE(response.headers.contains("x-early"));
}

TEST(HttpClientFailure, SaysThatNothingLeftWhenNobodyListens) {
    const uint16_t port = [] {
        TestServer gone;
        gone.start();
        return gone.server->port();
    }();
    HttpClient client;
    EXPECT_EQ(request_left(client, {.method = "POST",
                                    .url = "http://127.0.0.1:" + std::to_string(port),
                                    .body = "x"}),
              false)
        << "G7";
    EXPECT_EQ(request_left(client,
                           {.method = "POST", .url = "http://no.such.host.invalid/", .body = "x"}),
              false)
        << "G7";
    EXPECT_EQ(request_left(client, {.url = "http://127.0.0.1:1/"}, {.timeout = 0ms}), false)
        << "G7";
}

TEST(HttpClientFailure, SaysThatNothingLeftWhenTlsFails_F28) {
    ScriptedServer server({[](Peer& peer) { peer.say("HTTP/1.1 400 Bad Request\r\n\r\n"); }});
    HttpClient client;
    std::string url = server.url();
    url.replace(0, 4, "https");
    EXPECT_EQ(request_left(client, {.method = "POST", .url = url, .body = "x"}), false) << "G7";
}

TEST(HttpClientFailure, SaysThatARequestLeftWhenItsAnswerWasLost) {
    ScriptedServer server({
        [](Peer& peer) { peer.request(); },
        [](Peer& peer) {
            peer.request();
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        },
        [](Peer& peer) {
            peer.request();
            peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe");
        },
        [](Peer& peer) {
            peer.request();
            peer.say("nonsense\r\n\r\n");
        },
    });
    HttpClient client;
    for (const std::string fault :
         {"F20 closed without an answer", "F21 half a body", "F21 half a chunk", "F21 no HTTP"}) {
        SCOPED_TRACE(fault);
        EXPECT_EQ(request_left(client, {.method = "POST", .url = server.url(), .body = "x"}), true)
            << "G7";
    }
}

TEST(HttpClientFailure, NeverSendsAPostTwiceOverAKeptConnectionThatEnds) {
    std::vector<std::string> seen;
    // The second request comes over the kept connection: it is read, and then the connection ends
    // without an answer.
    const auto script = [&](Peer& peer) {
        for (std::string request; !(request = peer.request()).empty();) {
            seen.push_back(request);
            if (seen.size() == 2) return;
            peer.say(fine);
        }
    };
    ScriptedServer server({script, script, script, script});
    HttpClient client;
    const auto send = [&](const std::string& path) {
        return Request{.method = "POST", .url = server.url(path), .body = "text"};
    };
    EXPECT_EQ(client.call(send("/1"), {}).status, 200);
    EXPECT_EQ(request_left(client, send("/2")), true) << "G7 F20";
    EXPECT_EQ(client.call(send("/3"), {}).status, 200);
    client.stop();
    ASSERT_EQ(seen.size(), 3u) << "one of them came twice";
    EXPECT_THAT(seen[1], HasSubstr("POST /2"));
    EXPECT_THAT(seen[2], HasSubstr("POST /3"));
}

TEST(HttpClientFailure, RepeatsAGetOverAKeptConnectionThatEnds) {
    ScriptedServer server({
        [&](Peer& peer) {
            peer.request();
            peer.say(fine);
            peer.request();
        },
        [&](Peer& peer) {
            peer.request();
            peer.say(fine);
        },
    });
    HttpClient client;
    EXPECT_EQ(client.call({.url = server.url()}, {}).status, 200);
    EXPECT_EQ(client.call({.url = server.url()}, {}).status, 200);
    EXPECT_EQ(server.connections, 2);
}

TEST(HttpClientLimit, CutsAnAnswerThatIsTooLarge_F26_G19) {
    ScriptedServer server({
        [](Peer& peer) {
            peer.request();
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
            peer.flood(std::string(65'536, 'x'));
        },
        [](Peer& peer) {
            peer.request();
            peer.say("HTTP/1.1 200 OK\r\n");
            peer.flood("X-Endless: 0123456789012345678901234567890123456789\r\n");
        },
    });
    HttpClient client;
    EXPECT_EQ(request_left(client, {.url = server.url()}), true) << "F26 1 GiB";
    EXPECT_EQ(request_left(client, {.url = server.url()}), true) << "F26 endless headers";
}

TEST(HttpClientLimit, CutsAnAnswerThatComesTooLate_F25) {
    ScriptedServer server({
        [](Peer& peer) {
            peer.request();
            peer.wait_for_end();
        },
        [](Peer& peer) {
            peer.request();
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nslow");
            peer.wait_for_end();
        },
    });
    HttpClient impatient({.first_byte_timeout = 50ms});
    EXPECT_EQ(request_left(impatient, {.method = "POST", .url = server.url(), .body = "x"}), true)
        << "no first byte";
    HttpClient client;
    EXPECT_EQ(request_left(client, {.method = "POST", .url = server.url(), .body = "x"},
                           {.timeout = 100ms}),
              true)
        << "F25";
}

TEST(HttpClientLimit, CutsAllCallsAtTheStop) {
    Gate reached;
    ScriptedServer server({[&](Peer& peer) {
        peer.request();
        reached.open();
        peer.wait_for_end();
    }});
    HttpClient client;
    std::optional<bool> left;
    std::thread caller(
        [&] { left = request_left(client, {.method = "POST", .url = server.url(), .body = "x"}); });
    reached.wait();
    client.stop();
    caller.join();
    EXPECT_EQ(left, true);
    EXPECT_EQ(request_left(client, {.url = server.url()}), false);
}

TEST(HttpClientLimit, RefusesHeadersThatWouldMakeOthers) {
    HttpClient client;
    EXPECT_THROW(client.call({.url = "http://127.0.0.1:1/", .headers = {{"x", "1\r\ny: 2"}}}, {}),
                 RequestError);
    EXPECT_THROW(client.call({.url = "file:///etc/passwd"}, {}), RequestError);
    EXPECT_THROW(client.call({.method = "GET /x", .url = "http://127.0.0.1:1/"}, {}), RequestError);
}

TEST(HttpClientLimit, CallsOnlyTheOpenInternetForUrlsThatComeFromData) {
    HttpClient client({.public_only = true});
    for (const std::string url :
         {"https://127.0.0.1/", "https://localhost/", "https://2130706433/", "https://127.1/",
          "https://0x7f000001/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
          "https://169.254.169.254/latest", "https://10.0.0.1/", "https://[fd00::1]/",
          "http://192.0.43.8/", "https://192.0.43.8:8443/", "https://u:p@192.0.43.8/"}) {
        SCOPED_TRACE("S50 S51 " + url);
        try {
            client.call({.url = url}, {.timeout = 2000ms});
            FAIL() << "it was called";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::forbidden) << error.what();
        }
    }
}

TEST(HttpClientLoad, HasManyCallsInFlightOnOneThread) {
    constexpr int count = 60;
    TestServer hub;
    std::mutex mutex;
    std::vector<ExchangePtr> waiting;
    hub.route({.name = "later",
               .method = "POST",
               .path = "/later",
               .body = BodyKind::any,
               .runs_on = RunsOn::reactor},
              [&](const ExchangePtr& exchange) {
                  const std::lock_guard lock(mutex);
                  waiting.push_back(exchange);
              });
    hub.start();
    HttpClient client;
    const std::string url = "http://127.0.0.1:" + std::to_string(hub.server->port()) + "/later";
    std::atomic<int> answered{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < count; ++i)
        callers.emplace_back([&] {
            answered +=
                client.call({.method = "POST", .url = url, .body = "x"}, {.timeout = 20s}).status ==
                200;
        });
    eventually([&] {
        const std::lock_guard lock(mutex);
        return waiting.size() == count;
    });
    for (const ExchangePtr& exchange : waiting) exchange->answer({});
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(answered, count);
}

TEST(HttpClientLoad, ReachesTheControlSocket) {
    const std::string path =
        testing::TempDir() + "patchbay_client_" + std::to_string(::getpid()) + ".sock";
    ServerConfig config;
    config.control_socket = path;
    TestServer hub{config};
    hub.echo("/echo");
    hub.start();
    HttpClient client({.unix_socket = path});
    EXPECT_EQ(
        client.call({.method = "POST", .url = "http://hub/echo", .body = "over the socket"}, {})
            .body,
        "over the socket");
}

}  // namespace
}  // namespace patchbay
