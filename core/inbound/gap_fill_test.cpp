#include "inbound/gap_fill.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/hang_test.hpp"
#include "delivery/delivery_fixture.hpp"
#include "inbound/statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

const Statement inbound_texts{
    "test.inbound_texts", "SELECT body FROM messages WHERE direction='in' ORDER BY id", {}, true};

/// A provider that can be asked what came, and notes since when it was asked.
class ListingChannel final : public FakeChannel {
public:
    ListingChannel() { can.list_since = true; }
    std::vector<Event> list_since(const Call&, int64_t since_ms) override {
        if (hangs.exchange(false)) hang.here();
        asked.push_back(since_ms);
        if (broken) throw Error(ErrorKind::unavailable, "no list, status 500");
        return held;
    }
    std::vector<int64_t> asked;
    std::vector<Event> held;
    bool broken = false;
    std::atomic<bool> hangs{false};
    Hang hang;
};

Event text(const std::string& sid, const std::string& body) {
    Event event;
    event.topic = "message.received";
    event.dedupe_key = "message:" + sid;
    event.provider_id = sid;
    event.text = body;
    event.from = Address::phone("+15558675310");
    event.to = Address::phone("+15005550006");
    return event;
}

class Gaps : public testing::Test {
protected:
    Gaps() { config.plugins.push_back({.name = "sms", .plugin = "twilio_sms"}); }
    ~Gaps() override { std::filesystem::remove_all(folder); }

    /// What a process does at its start.
    void start_process() {
        gaps.emplace(
            current, store, [this](const std::string&) { return is_active ? channel : nullptr; },
            mint, [](const std::string&) {});
        gaps->step();
    }
    void pass(std::chrono::milliseconds time) {
        clock.advance(time);
        gaps->step();
    }
    std::vector<std::string> texts() {
        std::vector<std::string> found;
        for (const Row& row : store.read([](Session& s) { return s.run(inbound_texts); })) {
            found.push_back(row.text(0));
        }
        return found;
    }
    TimeMs since(TimeMs seen) const { return seen - TimeMs{5 * 60'000}; }

    std::filesystem::path folder = [] {
        std::string name = testing::TempDir() + "gaps_XXXXXX";
        return std::filesystem::path{mkdtemp(name.data())};
    }();
    ManualClock clock;
    Store store{{.url = "sqlite:test.db", .base = folder, .ballast_bytes = 0}, clock};
    const bool migrated = (store.migrate("core", core_migrations()), true);
    Ids ids{clock};
    Numbers numbers{store};
    Mint mint{ids, numbers};
    HubConfig config;
    CurrentConfig current{config};
    std::shared_ptr<ListingChannel> channel = std::make_shared<ListingChannel>();
    bool is_active = true;
    std::optional<GapFill> gaps;
};

using Asked = std::vector<int64_t>;
using Texts = std::vector<std::string>;

TEST_F(Gaps, AreNotLookedForBeforeTheFirstStart) {
    channel->held = {text("SM1", "from before")};
    start_process();
    EXPECT_EQ(channel->asked, Asked{});
    EXPECT_EQ(texts(), Texts{});
}

TEST_F(Gaps, AreFilledOnceAfterAStart) {
    start_process();
    pass(10s);
    const TimeMs seen = clock.now_ms();
    clock.advance(2h);
    channel->held = {text("SM1", "while you were away")};
    start_process();
    EXPECT_EQ(channel->asked, Asked{since(seen)});
    EXPECT_EQ(texts(), Texts{"while you were away"});

    pass(10s);
    EXPECT_EQ(channel->asked.size(), 1u) << "a hub that is there needs no list";
    clock.advance(30s);
    start_process();
    EXPECT_EQ(texts(), Texts{"while you were away"}) << "G3";
}

TEST_F(Gaps, AreFilledAfterAnOutageOfAMinuteWithoutAStart) {
    start_process();
    pass(59s);
    EXPECT_EQ(channel->asked, Asked{});
    const TimeMs seen = clock.now_ms();
    pass(61s);
    EXPECT_EQ(channel->asked, Asked{since(seen)});
}

TEST_F(Gaps, AreFilledWhenAnInstanceThatWasOffComesBack) {
    start_process();
    const TimeMs seen = clock.now_ms();
    is_active = false;
    pass(1h);
    is_active = true;
    pass(10s);
    EXPECT_EQ(channel->asked, Asked{since(seen)});
}

TEST_F(Gaps, StayUntilTheListCouldBeRead) {
    start_process();
    const TimeMs seen = clock.now_ms();
    clock.advance(1h);
    channel->broken = true;
    start_process();
    pass(1s);
    EXPECT_EQ(channel->asked.size(), 1u) << "not before its time";
    pass(5s);
    channel->broken = false;
    channel->held = {text("SM1", "at last")};
    pass(30s);
    EXPECT_EQ(channel->asked, (Asked{since(seen), since(seen), since(seen)}));
    EXPECT_EQ(texts(), Texts{"at last"});
}

TEST_F(Gaps, AreAskedForAgainWhenTheThreadWasLost_F41) {
    start_process();
    const TimeMs seen = clock.now_ms();
    clock.advance(2min);
    channel->held = {text("SM1", "missed")};
    channel->hangs = true;
    gaps.emplace(
        current, store, [this](const std::string&) { return channel; }, mint,
        [](const std::string&) {});
    gaps->start();
    channel->hang.give_up();
    gaps->stop();  // The lost one is still away.
    gaps->step();
    EXPECT_EQ(texts(), Texts{}) << "not at once";
    pass(5s);
    EXPECT_EQ(texts(), Texts{"missed"});
    EXPECT_EQ(channel->asked, Asked{since(seen)});
    channel->hang.let_go();
}

TEST_F(Gaps, DoNotLoseTheOthersOverABrokenEvent) {
    start_process();
    Event broken = text("SM1", "no key");
    broken.dedupe_key.clear();
    channel->held = {broken, text("SM2", "good")};
    start_process();
    EXPECT_EQ(texts(), Texts{"good"});
}

TEST_F(Gaps, AreADayLongWhereTheClockWasSetBack_G17) {
    start_process();
    clock.advance(-24h);
    start_process();
    EXPECT_EQ(channel->asked, Asked{clock.now_ms() - TimeMs{24 * 3'600'000}});
}

}  // namespace
}  // namespace patchbay
