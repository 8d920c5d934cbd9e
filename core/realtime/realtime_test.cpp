#include "realtime/realtime.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/json.hpp"
#include "http/websocket_client_test.hpp"
#include "store/migrations.hpp"

namespace patchbay {
namespace {

using namespace testing_http;

constexpr const char* something = "something";

/// /ws with a store behind it: `?as=NAME` signs in, a token is a user's name.
class RealtimeTest : public testing::Test {
protected:
    explicit RealtimeTest(size_t max_changes = 20'000)
        : realtime_({.store = store_,
                     .sign_in = [](const std::string& token) { return user(token); },
                     .render = [this](Session&, const Changes& changes) { return render(changes); },
                     .version = "0.1.0",
                     .max_changes = max_changes}) {
        store_.migrate("core", core_migrations());
        store_.on_changes([this](const Changes& changes) { realtime_.changed(changes); });
        server_.route({.name = "live", .method = "GET", .path = "/ws", .socket = true},
                      [this](const ExchangePtr& exchange) {
                          const std::string& query = exchange->request().query;
                          exchange->upgrade(realtime_.listener(
                              query.empty() ? std::nullopt : std::optional(user(query.substr(3))),
                              server_.clock.now_ms()));
                      });
        realtime_.start();
        server_.start();
    }
    ~RealtimeTest() override {
        server_.server.reset();
        realtime_.stop();
        store_.on_changes({});
        std::filesystem::remove_all(folder_);
    }

    static Caller user(const std::string& name) {
        if (name == "nobody") throw Problem("unauthenticated", "no such token");
        Caller who;
        who.kind = "user";
        who.id = name;
        who.role = name == "key" ? "api" : "owner";
        return who;
    }
    std::vector<LiveEvent> render(const Changes& changes) {
        std::vector<LiveEvent> events;
        for (const Change& change : changes) {
            if (change.id == "broken") throw std::runtime_error("cannot be read");
            events.push_back(make_event(Topic::conversations, change.what, server_.clock.now_ms(),
                                        "\"" + change.id + "\"", {}));
        }
        return events;
    }

    WebSocketClient connect(const std::string& target = "/ws?as=owner") {
        return WebSocketClient(server_.server->port(), target);
    }
    static JsonObject hears(WebSocketClient& client) {
        const Frame frame = client.frame();
        EXPECT_EQ(frame.opcode, 1) << "close code " << frame.close_code();
        return frame.opcode == 1 ? parse_json_object(std::string_view(frame.payload))
                                 : make_object();
    }
    static std::string type_of(WebSocketClient& client) {
        return text_at(hears(client), "type").value_or("");
    }
    static int64_t subscribe(WebSocketClient& client) {
        EXPECT_EQ(type_of(client), "hello");
        client.say(R"({"type":"subscribe","topics":["conversations"]})");
        return int_at(hears(client), "seq").value_or(-1);
    }
    void note(const std::string& id) {
        store_.write([&](Transaction& tx) { tx.note(something, id); });
    }

    const std::filesystem::path folder_ = [] {
        std::string name = testing::TempDir() + "patchbay_realtime_XXXXXX";
        return std::filesystem::path{mkdtemp(name.data())};
    }();
    TestServer server_;
    Store store_{{.url = "sqlite:hub.db", .base = folder_, .ballast_bytes = 0}, server_.clock};
    Realtime realtime_;
};

TEST_F(RealtimeTest, TellsWhatWasCommittedAndNothingElse) {
    WebSocketClient client = connect();
    subscribe(client);
    EXPECT_THROW(store_.write([](Transaction& tx) {
        tx.note(something, "rolled back");
        throw std::runtime_error("no");
    }),
                 std::runtime_error);
    note("committed");
    const JsonObject event = hears(client);
    EXPECT_EQ(text_at(event, "type"), "event");
    EXPECT_EQ(text_at(event, "topic"), "conversations");
    EXPECT_EQ(text_at(event, "event"), "something");
    EXPECT_EQ(text_at(event, "data"), "committed");
    EXPECT_EQ(text_at(event, "at"), "2027-01-15T08:00:00.000Z");
}

TEST_F(RealtimeTest, S67TakesTheTokenInTheFirstMessage) {
    WebSocketClient client = connect("/ws");
    client.say(R"({"type":"auth","token":"owner"})");
    EXPECT_EQ(type_of(client), "hello");
    client.say(R"({"type":"ping","id":"p"})");
    EXPECT_EQ(text_at(hears(client), "id"), "p");
}

TEST_F(RealtimeTest, S67ClosesWith4401WhoDoesNotSignIn) {
    for (const char* first : {R"({"type":"auth","token":"nobody"})", R"({"type":"ping"})",
                              R"({"type":"subscribe","topics":[]})", "hello"}) {
        SCOPED_TRACE(first);
        WebSocketClient client = connect("/ws");
        client.say(first);
        EXPECT_EQ(client.frame().close_code(), 4401);
    }
    WebSocketClient key = connect("/ws");
    key.say(R"({"type":"auth","token":"key"})");
    EXPECT_EQ(key.frame().close_code(), 4403);
}

TEST_F(RealtimeTest, S67ClosesWith4401WhoSaysNothing) {
    WebSocketClient silent = connect("/ws");
    eventually([&] { return realtime_.sockets() == 1; });
    server_.clock.advance(5'100ms);
    EXPECT_EQ(silent.frame().close_code(), 4401);
}

TEST_F(RealtimeTest, S67NamesMistakesAndKeepsTheSocket) {
    WebSocketClient client = connect();
    subscribe(client);
    client.say(R"({"type":"shout","id":"x"})").say("{").say(R"({"type":"ping"})");
    const JsonObject unknown = hears(client);
    EXPECT_EQ(text_at(unknown, "type"), "error");
    EXPECT_EQ(text_at(unknown, "id"), "x");
    EXPECT_EQ(text_at(unknown, "code"), "unknown_command");
    EXPECT_EQ(text_at(hears(client), "code"), "invalid_json");
    EXPECT_EQ(type_of(client), "pong");
}

TEST_F(RealtimeTest, F36GivesAllThatWasMissedToAReaderThatTakesItsTime) {
    int64_t since = 0;
    {
        WebSocketClient client = connect();
        since = subscribe(client);
    }
    const std::string much(2000, 'x');
    constexpr int count = 3000;  // Six times what may wait for one reader.
    for (int i = 0; i < count; ++i)
        realtime_.publish(
            make_event(Topic::conversations, "e", server_.clock.now_ms(), "\"" + much + "\"", {}));
    WebSocketClient client = connect();
    EXPECT_EQ(type_of(client), "hello");
    client.say(R"({"type":"resume","id":"r","since":)" + std::to_string(since) +
               R"(,"topics":["conversations"]})");
    for (int64_t seq = since + 1; seq <= since + count; ++seq)
        ASSERT_EQ(int_at(hears(client), "seq"), seq);
    const JsonObject resumed = hears(client);
    EXPECT_EQ(text_at(resumed, "type"), "resumed");
    EXPECT_EQ(int_at(resumed, "seq"), since + count);
    note("live again");
    EXPECT_EQ(int_at(hears(client), "prev"), since + count);
}

TEST_F(RealtimeTest, G20LeavesNoGapWhenAnEventCannotBeTold) {
    WebSocketClient client = connect();
    const int64_t since = subscribe(client);
    note("broken");
    EXPECT_EQ(client.frame().close_code(), 1013);
    WebSocketClient again = connect();
    EXPECT_EQ(type_of(again), "hello");
    again.say(R"({"type":"resume","since":)" + std::to_string(since) + R"(,"topics":[]})");
    EXPECT_EQ(type_of(again), "resync");
}

class RealtimeOverrunTest : public RealtimeTest {
protected:
    RealtimeOverrunTest() : RealtimeTest(10) {}
};

TEST_F(RealtimeOverrunTest, G19KeepsABoundedNumberOfChanges) {
    WebSocketClient client = connect();
    subscribe(client);
    store_.write([](Transaction& tx) {
        for (int i = 0; i < 11; ++i) tx.note(something, std::to_string(i));
    });
    EXPECT_EQ(client.frame().close_code(), 1013);
}

TEST_F(RealtimeTest, ForgetsSocketsThatAreGone) {
    {
        WebSocketClient client = connect();
        subscribe(client);
        eventually([&] { return realtime_.sockets() == 1; });
    }
    eventually([&] { return realtime_.sockets() == 0; });
}

}  // namespace
}  // namespace patchbay
