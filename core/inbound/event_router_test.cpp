#include "inbound/event_router.hpp"

#include <latch>

#include "base/hang_test.hpp"
#include "delivery/delivery_fixture.hpp"
#include "inbound/ingress.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

const Statement rows_in_state{
    "test.rows_in_state", "SELECT COUNT(*) FROM ingress WHERE state=$1", {}, true};
const Statement last_row{"test.last_row", "SELECT MAX(id) FROM ingress", {}, true};
const Statement bodies_in_order{
    "test.bodies_in_order",
    "SELECT m.body FROM messages m JOIN conversations c ON c.id=m.conversation_id WHERE m.peer=$1 "
    "ORDER BY m.seq",
    {},
    true};

/// Understands "phone text"; "broken ..." as an event that cannot be stored, "throws ..." not at
/// all. "kills ..." ends its process, which is down until somebody starts it again.
class WordChannel final : public FakeChannel {
public:
    std::vector<Event> receive(const Call&, const Request& request) override {
        ++received;
        const size_t blank = request.body.find(' ');
        const std::string first = request.body.substr(0, blank);
        if (first == "hangs" && hangs.exchange(false)) hang.here();
        if (first == "throws" && throws) throw std::runtime_error("not understood");
        if (is_down) throw Error(ErrorKind::unavailable, "being started again");
        if (first == "kills") {
            ++kills;
            is_down = true;
            Error died(ErrorKind::unavailable, "the process died");
            died.request_left = true;
            died.code = process_died;
            throw died;
        }
        Event event;
        event.topic = first == "broken" ? "" : "message.received";
        event.dedupe_key = "message:" + request.id;
        event.kind = "text";
        event.text = request.body.substr(blank + 1);
        event.from = Address::phone(first[0] == '+' ? first : "+15558675310");
        event.to = Address::phone("+15005550006");
        return {event};
    }
    bool is_running() const override { return !is_down; }
    std::atomic<int> received{0}, kills{0};
    std::atomic<bool> throws{true}, hangs{true}, is_down{false};
    Hang hang;
};

class Routers : public DeliveryTest {
protected:
    void accept(const std::string& body, const std::string& instance = "sms") {
        HttpRequest request;
        request.method = "POST";
        request.target = "/hooks/sms/message";
        request.body = body;
        std::latch kept(1);
        ingress.accept(instance, "message", request, [&](std::exception_ptr failed) {
            EXPECT_EQ(failed, nullptr);
            kept.count_down();
        });
        kept.wait();
    }
    void start() {
        ingress.on_accepted([this](const std::string& instance) { router.notify(instance); });
        router.start();
    }
    int64_t rows(const std::string& state) {
        return store.read(
            [&](Session& session) { return session.first(rows_in_state, {state})->number(0); });
    }
    bool all_routed(int64_t count) {
        return eventually([&] { return rows("routed") == count; });
    }
    std::vector<std::string> texts(const std::string& phone) {
        return store.read([&](Session& session) {
            std::vector<std::string> found;
            for (const Row& row : session.run(bodies_in_order, {phone}))
                found.push_back(row.text(0));
            return found;
        });
    }
    static std::vector<std::string> numbers(int count) {
        std::vector<std::string> list;
        for (int i = 0; i < count; ++i) list.push_back(std::to_string(i));
        return list;
    }

    HubConfig config = [] {
        HubConfig one_channel;
        one_channel.plugins.push_back({.name = "sms", .plugin = "twilio_sms"});
        return one_channel;
    }();
    std::shared_ptr<WordChannel> words = std::make_shared<WordChannel>();
    Ingress ingress{store, ids};
    CurrentConfig current{config};
    EventRouter router{
        current, store, LeaseSource{[this](const std::string&) -> PluginLeasePtr { return words; }},
        mint,    "me",  [](const std::string&) {}};
};

TEST_F(Routers, KeepTheOrderOfArrivalOfEachContactOverManySlices_G5) {
    constexpr int each = 150;
    for (int i = 0; i < each; ++i) {
        accept("+15558675310 " + std::to_string(i));
        accept("+15558675311 " + std::to_string(i));
        if (i == each / 2) start();  // Some wait already, some come while it works.
    }
    ASSERT_TRUE(all_routed(2 * each));
    EXPECT_EQ(texts("+15558675310"), numbers(each));
    EXPECT_EQ(texts("+15558675311"), numbers(each));
}

TEST_F(Routers, SetAsideARowThatCannotBeStoredAndKeepTheOrderOfTheOthers_F40) {
    constexpr int good = 100;
    for (int i = 0; i < good; ++i) {
        if (i == good / 2) accept("broken +15558675310");
        accept("+15558675310 " + std::to_string(i));
    }
    start();
    ASSERT_TRUE(all_routed(good));
    EXPECT_EQ(texts("+15558675310"), numbers(good));
    EXPECT_EQ(rows("received"), 1) << "to be tried again";
    EXPECT_TRUE(eventually([&] {
        clock.advance(1s);
        router.notify("sms");
        return rows("dead") == 1;
    }));
}

TEST_F(Routers, FollowAConfigurationThatIsReplaced_G21) {
    start();
    const auto follow = [&](std::vector<std::string> names) {
        auto next = std::make_shared<HubConfig>();
        for (const std::string& name : names)
            next->plugins.push_back({.name = name, .plugin = "twilio_sms"});
        router.end_others(*next);
        current.replace(next);
        router.follow();
    };
    accept("+15558675310 early", "sales");
    follow({"sms", "sales"});
    ASSERT_TRUE(all_routed(1)) << "what came before is routed too";
    follow({"sales"});
    accept("+15558675311 kept", "sms");
    accept("+15558675310 late", "sales");
    ASSERT_TRUE(all_routed(2));
    EXPECT_EQ(rows("received"), 1) << "it waits for its instance";
    follow({"sms", "sales"});
    ASSERT_TRUE(all_routed(3));
    EXPECT_EQ(texts("+15558675311"), std::vector<std::string>{"kept"});
}

TEST_F(Routers, TryARowAgainThatThePluginDidNotTake_G2) {
    accept("throws once");
    for (int i = 0; i < 40; ++i) accept("+15558675311 " + std::to_string(i));
    start();
    ASSERT_TRUE(all_routed(40));
    words->throws = false;
    EXPECT_TRUE(eventually([&] {
        clock.advance(1s);
        router.notify("sms");
        return rows("routed") == 41;
    }));
    EXPECT_EQ(texts("+15558675310"), (std::vector<std::string>{"once"}));
}

TEST_F(Routers, BuryAWebhookThatKilledItsPluginTwiceAndCountNothingAgainstTheOthers_F42_G16) {
    accept("kills it");
    for (int i = 0; i < 10; ++i) accept("+15558675311 " + std::to_string(i));
    start();
    ASSERT_TRUE(eventually([&] { return words->kills == 1; }));
    // As long as it takes: the others lose no attempt while there is no process.
    for (int i = 0; i < 10; ++i) {
        const int before = words->received;
        clock.advance(60s);
        router.notify("sms");
        ASSERT_TRUE(eventually([&] { return words->received > before; }));
    }
    EXPECT_EQ(rows("dead"), 0);
    ASSERT_TRUE(eventually([&] {
        words->is_down = false;
        clock.advance(1s);
        router.notify("sms");
        return rows("dead") == 1;
    }));
    EXPECT_EQ(words->kills, 2);
    words->is_down = false;
    router.notify("sms");
    ASSERT_TRUE(all_routed(10));
    EXPECT_EQ(texts("+15558675311"), numbers(10));
}

TEST_F(Routers, TryARowAgainInWhichTheirThreadWasLost_F41_G2) {
    for (int i = 0; i < 3; ++i) accept("+15558675311 " + std::to_string(i));
    accept("hangs at first");
    for (int i = 3; i < 40; ++i) accept("+15558675311 " + std::to_string(i));
    start();
    words->hang.give_up();
    ASSERT_TRUE(all_routed(40)) << "those before it and those behind it";
    EXPECT_EQ(texts("+15558675311"), numbers(40));
    EXPECT_TRUE(eventually([&] {
        clock.advance(1s);
        router.notify("sms");
        return rows("routed") == 41;
    }));
    router.stop();  // The lost one is still away.
    words->hang.let_go();
    EXPECT_EQ(texts("+15558675310"), std::vector<std::string>{"at first"});
}

TEST_F(Routers, SetAsideARowInWhichTheProcessDiedTwice_F42_G15) {
    const auto accepted = [&](const std::string& body) {
        accept(body);
        return store.read([](Session& session) { return session.first(last_row)->number(0); });
    };
    const int64_t poison = accepted("+15558675310 poison");
    const int64_t suspect = accepted("+15558675311 suspect");
    const std::vector<WorkLeft> named{{WorkKind::webhook, poison, true},
                                      {WorkKind::webhook, suspect, false},
                                      {WorkKind::job, suspect, true}};
    blame_webhooks(store, named);
    EXPECT_EQ(rows("dead"), 0) << "once may be chance";
    blame_webhooks(store, named);
    EXPECT_EQ(rows("dead"), 1);
    const int64_t unnamed = accepted("+15558675310 unnamed");
    for (int death = 1; death <= 3; ++death)
        blame_webhooks(store, {{WorkKind::webhook, suspect, false}});
    EXPECT_EQ(rows("dead"), 1);
    for (int death = 1; death <= 4; ++death)
        blame_webhooks(store, {{WorkKind::webhook, unnamed, false}});
    EXPECT_EQ(rows("dead"), 2) << "nothing names it, and it was there each time";
    start();
    ASSERT_TRUE(all_routed(1));
    EXPECT_EQ(texts("+15558675311"), std::vector<std::string>{"suspect"});
    EXPECT_TRUE(texts("+15558675310").empty());
    blame_webhooks(store, {{WorkKind::webhook, suspect, true}});
    EXPECT_EQ(rows("routed"), 1) << "what is done stays so";
}

// Whatever the backlog is: what the writer has not taken stays in the database.
TEST_F(Routers, KeepFewRowsInMemory_G19) {
    constexpr int backlog = 400;
    for (int i = 0; i < backlog; ++i) accept("+15558675310 " + std::to_string(i));
    std::latch held(1), go_on(1);
    start();
    // Its lease is taken then: the writer is not held between that and its commit.
    ASSERT_TRUE(eventually([&] { return rows("routed") > 0; }));
    store.write_async(
        [&](Transaction&) {
            held.count_down();
            go_on.wait();
        },
        {});
    held.wait();
    // The most that can be read without the writer, however long it stands still.
    const int taken_before = words->received;
    EXPECT_TRUE(eventually([&] { return store.queued() > 0 || rows("routed") == backlog; }));
    EXPECT_LE(words->received - taken_before, 160);
    go_on.count_down();
    ASSERT_TRUE(all_routed(backlog));
    EXPECT_EQ(texts("+15558675310"), numbers(backlog));
}

}  // namespace
}  // namespace patchbay
