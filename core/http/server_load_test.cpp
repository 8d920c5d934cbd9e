// Slow clients, full pools, many answers at once, and the end.
#include <gmock/gmock.h>

#include <thread>

#include "http/loopback_test.hpp"

namespace patchbay {
namespace {

using namespace testing_http;
using testing::HasSubstr;

// The clock moves until the server has noticed: how far it had read before is not told to a client.
void move_clock_until_it_speaks(TestServer& hub, RawClient& client) {
    const size_t had = client.input().size();
    for (int i = 0; i < patience_ms / 20; ++i) {
        hub.clock.advance(6s);
        if (client.more(20) == 0 || client.input().size() > had) return;
    }
    FAIL() << "the server waits for ever";
}

TEST(ServerLimits, EndsAHeaderThatNeverEnds) {
    TestServer hub;
    hub.echo("/echo");
    hub.start();
    RawClient client = hub.client();
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nX-Slow: ");
    move_clock_until_it_speaks(hub, client);
    const Answer answer = client.answer();
    EXPECT_EQ(answer.status, 408) << "S15";
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_EQ(hub.server->stats().rejected.at("timeout"), 1u);
}

TEST(ServerLimits, EndsABodyBelowTheSlowestRate) {
    TestServer hub;
    hub.echo("/echo");
    hub.start();
    RawClient client = hub.client();
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" +
                std::string(5000, 'x'));
    move_clock_until_it_speaks(hub, client);
    EXPECT_EQ(client.answer().status, 408) << "S15";
    EXPECT_EQ(hub.handled, 0);
}

TEST(ServerLimits, ClosesIdleConnectionsWithoutAWord) {
    TestServer hub;
    hub.echo("/echo");
    hub.start();
    RawClient fresh = hub.client();
    move_clock_until_it_speaks(hub, fresh);
    EXPECT_EQ(fresh.input(), "") << "S16";
    RawClient used = hub.client();
    EXPECT_EQ(used.send(post("/echo", "1")).answer().body, "1");
    move_clock_until_it_speaks(hub, used);
    EXPECT_EQ(used.input(), "") << "S16";
    eventually([&] { return hub.server->stats().connections == 0; });
}

TEST(ServerLimits, AnswersWhileIdleConnectionsOutnumberItsThreads) {
    ServerConfig config;
    config.workers = 1;
    TestServer hub{config};
    hub.echo("/echo");
    hub.start();
    std::vector<RawClient> idle;
    for (int i = 0; i < 100; ++i) idle.push_back(hub.client());
    for (RawClient& client : idle) client.send("POST /echo HTTP/1.1\r\n");
    EXPECT_EQ(hub.ask(post("/echo", "hello")).body, "hello") << "S16";
}

TEST(ServerLimits, ClosesConnectionsOverTheTotal) {
    ServerConfig config;
    config.connections = 2;
    TestServer hub{config};
    hub.echo("/echo");
    hub.start();
    RawClient first = hub.client(), second = hub.client();
    EXPECT_EQ(first.send(post("/echo", "1")).answer().status, 200);
    EXPECT_EQ(second.send(post("/echo", "2")).answer().status, 200);
    RawClient third = hub.client();
    EXPECT_TRUE(third.ended()) << "S17";
    EXPECT_EQ(hub.server->stats().rejected.at("connections"), 1u);
    EXPECT_EQ(first.send(post("/echo", "1")).answer().status, 200);
}

TEST(ServerLimits, CountsConnectionsPerAddress) {
    AddressCounts counts;
    const PeerAddress one = *PeerAddress::parse("203.0.113.1"),
                      same = *PeerAddress::parse("::ffff:203.0.113.1");
    EXPECT_TRUE(counts.enter(one, 2));
    EXPECT_TRUE(counts.enter(same, 2));
    EXPECT_FALSE(counts.enter(one, 2)) << "S17";
    EXPECT_TRUE(counts.enter(*PeerAddress::parse("203.0.113.2"), 2));
    counts.leave(same);
    EXPECT_TRUE(counts.enter(one, 2));
}

TEST(ServerLimits, AnswersBusyWhenTheirPoolIsFull) {
    ServerConfig config;
    config.workers = 1;
    config.worker_queue = 1;
    TestServer hub{config};
    Gate running, go_on;
    hub.route({.name = "slow", .method = "GET", .path = "/slow"}, [&](const ExchangePtr& exchange) {
        running.open();
        go_on.wait();
        exchange->answer({});
    });
    hub.route({.name = "health", .method = "GET", .path = "/health", .runs_on = RunsOn::control},
              [](const ExchangePtr& exchange) { exchange->answer({}); });
    hub.start();
    RawClient first = hub.client(), second = hub.client();
    first.send(get("/slow"));
    running.wait();
    second.send(get("/slow"));
    eventually([&] { return hub.server->stats().in_flight == 2; });
    const Answer busy = hub.ask(get("/slow"));
    EXPECT_EQ(busy.status, 503);
    EXPECT_EQ(busy.header("Retry-After"), "1");
    EXPECT_THAT(busy.body, HasSubstr("\"busy\""));
    EXPECT_EQ(hub.ask(get("/health")).status, 200) << "health has threads of its own";
    go_on.open();
    EXPECT_EQ(first.answer().status, 200);
    EXPECT_EQ(second.answer().status, 200);
}

TEST(ServerLimits, RefusesBodiesBeyondItsMemory) {
    ServerConfig config;
    config.buffered_bytes = 100'000;
    TestServer hub{config};
    hub.echo("/echo");
    hub.start();
    RawClient first = hub.client();
    first.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n" +
               std::string(80'000, 'x'));
    RawClient second = hub.client();
    second.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n" +
                std::string(80'000, 'x'));
    // Which of the two is one too many depends on whose bytes came last.
    eventually([&] { return hub.server->stats().rejected.contains("busy"); });
    EXPECT_EQ(hub.server->stats().rejected.at("busy"), 1u) << "G19";
}

TEST(ServerAnswers, ComeFromAnotherThreadInOneWakeUpWhenTheyAreMany) {
    constexpr size_t count = 200;
    TestServer hub;
    std::mutex mutex;
    std::vector<ExchangePtr> waiting;
    hub.route({.name = "later", .method = "GET", .path = "/later", .runs_on = RunsOn::reactor},
              [&](const ExchangePtr& exchange) {
                  const std::lock_guard lock(mutex);
                  waiting.push_back(exchange);
              });
    // Keeps the reactor busy while the answers come, as a burst does: else it may be as fast as
    // they are.
    Gate held, go_on;
    hub.route({.name = "hold", .method = "GET", .path = "/hold", .runs_on = RunsOn::reactor},
              [&](const ExchangePtr& exchange) {
                  held.open();
                  go_on.wait();
                  exchange->answer({});
              });
    hub.start();
    RawClient holder = hub.client();
    std::vector<RawClient> clients;
    for (size_t i = 0; i < count; ++i) clients.push_back(hub.client());
    for (RawClient& client : clients) client.send(get("/later"));
    eventually([&] {
        const std::lock_guard lock(mutex);
        return waiting.size() == count;
    });
    holder.send(get("/hold"));
    held.wait();
    const uint64_t before = hub.server->stats().wake_ups;
    std::thread([&] {
        for (const ExchangePtr& exchange : waiting) exchange->answer({.status = 202});
    }).join();
    go_on.open();
    for (RawClient& client : clients) EXPECT_EQ(client.answer().status, 202);
    EXPECT_LE(hub.server->stats().wake_ups - before, 2u) << "answers woke the reactor one by one";
    eventually([&] { return hub.server->stats().in_flight == 0; });
}

TEST(ServerAnswers, SurviveAClientThatWentAway) {
    TestServer hub;
    Gate running, go_on;
    hub.route({.name = "slow", .method = "GET", .path = "/slow"}, [&](const ExchangePtr& exchange) {
        running.open();
        go_on.wait();
        exchange->answer({});
    });
    hub.start();
    {
        RawClient client = hub.client();
        client.send(get("/slow"));
        running.wait();
    }
    go_on.open();
    eventually(
        [&] { return hub.server->stats().in_flight == 0 && hub.server->stats().connections == 0; });
}

TEST(ServerAnswers, ReachASlowReaderWhole) {
    TestServer hub;
    const std::string large(8 << 20, 'y');
    hub.route({.name = "large", .method = "GET", .path = "/large"},
              [&](const ExchangePtr& exchange) { exchange->answer({.body = large}); });
    hub.start();
    RawClient client = hub.client();
    EXPECT_EQ(client.send(get("/large")).answer().body.size(), large.size());
    EXPECT_EQ(client.send(get("/large")).answer().body, large);
}

TEST(ServerAnswers, AreSentOnceOnly) {
    TestServer hub;
    hub.route({.name = "twice", .method = "GET", .path = "/twice"},
              [](const ExchangePtr& exchange) {
                  exchange->answer({.body = "first"});
                  exchange->answer({.body = "second"});
              });
    hub.start();
    const uint64_t before = Exchange::late_answers();
    RawClient client = hub.client();
    EXPECT_EQ(client.send(get("/twice")).answer().body, "first");
    EXPECT_EQ(client.send(get("/twice")).answer().body, "first");
    eventually([&] { return Exchange::late_answers() - before == 2; });
}

TEST(ServerStop, FinishesWhatIsUnderWayAndTurnsAwayTheRest) {
    TestServer hub;
    Gate running, go_on;
    hub.route({.name = "slow", .method = "GET", .path = "/slow"}, [&](const ExchangePtr& exchange) {
        running.open();
        go_on.wait();
        exchange->answer({.body = "done"});
    });
    hub.echo("/echo");
    hub.start();
    RawClient busy = hub.client(), kept = hub.client(), idle = hub.client();
    EXPECT_EQ(kept.send(post("/echo", "1")).answer().status, 200);
    busy.send(get("/slow"));
    running.wait();
    const uint16_t port = hub.server->port();
    std::thread stopping([&] { hub.server->stop(20s); });
    eventually([&] {
        return !RawClient(port).connected() ||
               RawClient(port).send(get("/echo")).answer().status != 405;
    });
    const Answer turned_away = kept.send(post("/echo", "2")).answer();
    EXPECT_EQ(turned_away.status, 503) << "G11";
    EXPECT_THAT(turned_away.body, HasSubstr("\"stopping\""));
    EXPECT_EQ(turned_away.header("Connection"), "close");
    EXPECT_EQ(turned_away.header("Retry-After"), "1");
    go_on.open();
    const Answer finished = busy.answer();
    EXPECT_EQ(finished.body, "done") << "G11";
    EXPECT_EQ(finished.header("Connection"), "close");
    stopping.join();
    EXPECT_TRUE(idle.ended());
    EXPECT_EQ(hub.handled, 1);
}

TEST(ServerStop, DoesNotWaitBeyondItsGrace) {
    TestServer hub;
    std::vector<ExchangePtr> kept;
    Gate here;
    hub.route({.name = "never", .method = "GET", .path = "/never"},
              [&](const ExchangePtr& exchange) {
                  kept.push_back(exchange);
                  here.open();
              });
    hub.start();
    RawClient client = hub.client();
    client.send(get("/never"));
    here.wait();
    hub.server->stop(10ms);
    EXPECT_TRUE(client.ended());
    hub.server.reset();
    kept.front()->answer({});  // Goes nowhere, and harms nobody.
}

}  // namespace
}  // namespace patchbay
