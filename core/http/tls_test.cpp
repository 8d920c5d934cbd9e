#include "http/tls.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "http/loopback_test.hpp"

namespace patchbay {
namespace {

using namespace testing_http;
using testing::HasSubstr;

/// A folder of one test's own.
std::filesystem::path own_folder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() /
        ("patchbay_tls_" + std::to_string(::getpid()) + "_" + test->name());
    std::filesystem::create_directories(folder);
    return folder;
}

ServerConfig with_keys(const TestKeys& keys) {
    ServerConfig config;
    config.tls.certificate = keys.certificate;
    config.tls.key = keys.key;
    return config;
}

/// Connects without TLS and then begins it with these wishes.
RawClient client_that_wishes(TestServer& hub, const TlsWishes& wishes) {
    RawClient client(hub.server->port());
    client.start_tls(wishes);
    return client;
}

TEST(Tls, SaysThatTheRequestIsSecure) {
    TestServer hub({}, Wire::tls);
    hub.route({.name = "who", .method = "GET", .path = "/who"}, [](const ExchangePtr& exchange) {
        exchange->answer({.body = exchange->request().secure ? "secure" : "plain"});
    });
    hub.start();
    EXPECT_EQ(hub.ask(get("/who")).body, "secure");
    EXPECT_EQ(hub.ask(get("/who", "X-Forwarded-Proto: http\r\n")).body, "secure")
        << "nobody but a trusted proxy says otherwise";
}

TEST(Tls, SpeaksTls12And13AndNothingOlder) {
    TestServer hub({}, Wire::tls);
    hub.echo("/echo");
    hub.start();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        RawClient client = client_that_wishes(hub, {.lowest = version, .highest = version});
        ASSERT_TRUE(client.connected());
        EXPECT_EQ(SSL_version(client.tls().ssl()), version);
        EXPECT_EQ(client.send(post("/echo", "hello")).answer().body, "hello");
    }
    EXPECT_FALSE(
        client_that_wishes(hub, {.lowest = TLS1_VERSION, .highest = TLS1_1_VERSION}).connected())
        << "S54";
    eventually([&] { return hub.server->stats().rejected["tls_handshake"] == 1; });
}

TEST(Tls, AgreesOnHttp11AndOnNoOtherProtocol) {
    TestServer hub({}, Wire::tls);
    hub.start();
    RawClient both = client_that_wishes(hub, {.protocols = "\x02h2\x08http/1.1"});
    ASSERT_TRUE(both.connected());
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(both.tls().ssl(), &chosen, &size);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
    EXPECT_FALSE(client_that_wishes(hub, {.protocols = "\x02h2"}).connected());
}

TEST(Tls, ResumesASession) {
    TestServer hub({}, Wire::tls);
    hub.echo("/echo");
    hub.start();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        RawClient first = client_that_wishes(hub, {.lowest = version, .highest = version});
        EXPECT_EQ(first.send(post("/echo", "1")).answer().body, "1");
        const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(
            SSL_get1_session(first.tls().ssl()), SSL_SESSION_free);
        RawClient second = client_that_wishes(
            hub, {.lowest = version, .highest = version, .resume = session.get()});
        EXPECT_EQ(second.send(post("/echo", "2")).answer().body, "2");
        EXPECT_EQ(SSL_session_reused(second.tls().ssl()), 1);
    }
}

TEST(Tls, TakesANewCertificateWithoutARestart) {
    const auto folder = own_folder();
    const TestKeys keys = make_keys(folder, "first.example");
    TestServer hub(with_keys(keys), Wire::tls);
    hub.echo("/echo");
    hub.start();
    RawClient old = hub.client();
    EXPECT_EQ(old.tls().peer_name(), "first.example");
    const TestKeys renewed = make_keys(folder, "second.example");
    std::filesystem::rename(renewed.certificate, keys.certificate);
    EXPECT_EQ(hub.client().tls().peer_name(), "first.example")
        << "a certificate that does not fit the key is not taken";
    std::filesystem::rename(renewed.key, keys.key);
    EXPECT_EQ(hub.client().tls().peer_name(), "second.example");
    std::ofstream(keys.certificate) << "nonsense";
    EXPECT_EQ(hub.client().tls().peer_name(), "second.example");
    std::filesystem::remove(keys.certificate);
    EXPECT_EQ(hub.client().tls().peer_name(), "second.example");
    EXPECT_EQ(old.send(post("/echo", "still here")).answer().body, "still here");
    std::filesystem::remove_all(folder);
}

TEST(Tls, SaysWhichFileItCannotUse) {
    const auto folder = own_folder();
    const TestKeys keys = make_keys(folder, "a"), others = make_keys(folder, "b");
    const auto message_of = [](const std::string& certificate, const std::string& key) {
        try {
            TlsKeys(certificate, key);
            return std::string("none");
        } catch (const Error& error) {
            return std::string(error.what());
        }
    };
    EXPECT_EQ(message_of(keys.certificate, keys.key), "none");
    EXPECT_EQ(message_of(folder / "none.crt", keys.key), "cannot use the certificate " +
                                                             (folder / "none.crt").string() +
                                                             ": No such file or directory");
    EXPECT_THAT(message_of(keys.key, keys.key), HasSubstr("cannot use the certificate"));
    EXPECT_THAT(message_of(keys.certificate, others.key), HasSubstr("key values mismatch"));
    EXPECT_THAT(message_of(keys.certificate, keys.certificate), HasSubstr("cannot use the key"));
    std::filesystem::remove_all(folder);
}

TEST(Tls, S15EndsAHandshakeThatNeverEnds) {
    TestServer hub({}, Wire::tls);
    hub.start();
    RawClient silent(hub.server->port()), half(hub.server->port());
    half.send(std::string("\x16\x03\x01\x02\x00\x01", 6));  // The begin of a ClientHello.
    eventually([&] { return hub.server->stats().connections == 2; });
    hub.clock.advance(9s);
    EXPECT_EQ(silent.more(200), -1) << "10 seconds are not over";
    hub.clock.advance(1100ms);
    EXPECT_TRUE(silent.ended());
    EXPECT_TRUE(half.ended());
    EXPECT_EQ(silent.input() + half.input(), "");
    eventually([&] { return hub.server->stats().rejected["tls_timeout"] == 2; });
}

TEST(Tls, EndsAConnectionThatSpeaksSomethingElse) {
    TestServer hub({}, Wire::tls);
    hub.echo("/echo");
    hub.start();
    RawClient plain(hub.server->port());
    plain.send(post("/echo", "hello"));
    EXPECT_TRUE(plain.ended());
    EXPECT_EQ(plain.input().find("HTTP/1.1 200"), std::string::npos);
    EXPECT_EQ(hub.handled, 0);
}

TEST(Tls, EndsAConnectionWhoseBytesWereChanged) {
    TestServer hub({}, Wire::tls);
    hub.echo("/echo");
    hub.start();
    RawClient client = hub.client();
    EXPECT_EQ(client.send(post("/echo", "1")).answer().body, "1");
    // A record that nobody encrypted, past the client's TLS.
    const std::string forged = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
    const int fd = SSL_get_fd(client.tls().ssl());
    ASSERT_EQ(::send(fd, forged.data(), forged.size(), MSG_NOSIGNAL), 37);
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(hub.handled, 1);
}

TEST(Tls, SaysGoodbyeBehindTheLastAnswer) {
    TestServer hub({}, Wire::tls);
    hub.echo("/echo");
    hub.start();
    RawClient client = hub.client();
    EXPECT_EQ(client.send(post("/echo", "1", "Connection: close\r\n")).answer().body, "1");
    EXPECT_TRUE(client.ended());
    EXPECT_TRUE(client.tls().closed_well());
}

TEST(Tls, CarriesALargeAnswerToASlowReaderWhole) {
    TestServer hub({}, Wire::tls);
    const std::string large(8 << 20, 'y');
    hub.route({.name = "large", .method = "GET", .path = "/large"},
              [&](const ExchangePtr& exchange) { exchange->answer({.body = large}); });
    hub.start();
    RawClient client = hub.client();
    EXPECT_EQ(client.send(get("/large")).answer().body, large);
    EXPECT_EQ(client.send(get("/large")).answer().body, large);
}

TEST(Tls, LeavesTheControlSocketPlain) {
    const auto folder = own_folder();
    ServerConfig config;
    config.control_socket = folder / "hub.sock";
    TestServer hub(config, Wire::tls);
    hub.echo("/echo");
    hub.start();
    RawClient client(config.control_socket);
    EXPECT_EQ(client.send(post("/echo", "hello")).answer().body, "hello");
    hub.server->stop(0ms);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace patchbay
