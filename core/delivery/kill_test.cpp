// F02: the process dies at each named step of a send; another one goes on with what it left.
#include <gtest/gtest.h>

#include <fstream>

#include "base/failpoint.hpp"
#include "delivery/delivery_fixture.hpp"
#include "delivery/unknown.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

/// A provider whose memory outlives the process that called it.
class LastingProvider : public FakeChannel {
public:
    explicit LastingProvider(std::filesystem::path file) : file_(std::move(file)) {
        can.look_up = true;
        look_up_answer = [this](const OutboundMessage& message) -> std::optional<SendResult> {
            if (receipts(message.id) == 0) return std::nullopt;
            return SendResult::accepted("P-" + message.id);
        };
    }
    SendResult send(const Call&, const OutboundMessage& message) override {
        std::ofstream{file_, std::ios::app} << message.id << std::endl;
        return SendResult::accepted("P-" + message.id);
    }
    int receipts(const std::string& id) const {
        std::ifstream in{file_};
        int count = 0;
        for (std::string line; std::getline(in, line);) count += line == id ? 1 : 0;
        return count;
    }

private:
    std::filesystem::path file_;
};

/// One process: everything it has in memory goes with it.
class Process {
public:
    Process(const std::filesystem::path& folder, const Clock& clock, const std::string& owner)
        : provider(std::make_shared<LastingProvider>(folder / "receipts")),
          store({.url = "sqlite:test.db", .base = folder, .ballast_bytes = 0}, clock),
          self{owner, "host", "boot", "0.1.0", getpid()} {
        store.migrate("core", core_migrations());
        ids.emplace(clock, register_worker(store, self));
        context.emplace(DeliveryContext{store, *ids, board, owner, {}, {}});
        gate = std::make_shared<ChannelGate>(
            ChannelSettings{.instance = "sms"},
            [this](const std::string&) { return std::static_pointer_cast<PluginLease>(provider); },
            clock);
    }
    QueuedMessage queue_one(const Clock& clock) {
        Numbers numbers{store};
        Mint mint{*ids, numbers};
        Draft draft;
        draft.channel = "sms";
        draft.to = Address::phone("+15558675310");
        draft.text = "hello";
        return store.write(
            [&](Transaction& tx) { return queue_message(tx, mint, draft, clock.now_ms()); });
    }
    void send_due(const Clock& clock) {
        Sender sender{*context, gate};
        auto jobs = store.write([&](Transaction& tx) {
            return claim_jobs(tx, {"sms", self.owner, 1}, clock.now_ms(),
                              clock.steady() + job_lease);
        });
        for (ClaimedJob& job : jobs) sender.run(job);
    }
    void resolve_due() {
        UnknownResolver{*context, [this](const std::string&) { return gate; }}.step();
    }

    std::shared_ptr<LastingProvider> provider;
    Store store;
    WorkerInfo self;
    std::optional<Ids> ids;
    OutcomeBoard board;
    std::optional<DeliveryContext> context;
    std::shared_ptr<ChannelGate> gate;
};

class KilledProcess : public testing::TestWithParam<const char*> {
protected:
    ~KilledProcess() override { std::filesystem::remove_all(folder); }
    [[noreturn]] void die_at(const std::string& place) {
        Process process{folder, clock, "dying"};
        process.queue_one(clock);
        Failpoint::arm(place + ":1");
        process.send_due(clock);
        std::_Exit(0);  // Not reached: the failpoint ends it.
    }
    std::filesystem::path folder = [] {
        std::string name = testing::TempDir() + "kill_XXXXXX";
        return std::filesystem::path{mkdtemp(name.data())};
    }();
    ManualClock clock;
};

TEST_P(KilledProcess, LosesNothingAndSendsNothingTwice_F02_G7) {
    constexpr int killed = 137;
    EXPECT_EXIT(die_at(GetParam()), testing::ExitedWithCode(killed), "");

    Process next{folder, clock, "next"};
    recover(next.store, *next.ids, next.self, true);
    next.send_due(clock);
    clock.advance(15s);
    next.resolve_due();
    next.send_due(clock);

    const auto message = next.store.read([](Session& session) {
        return MessageView::from_row(
            session
                .run(sql::message_list_channel, {std::string{"sms"}, std::string{"g"}, int64_t{1}})
                .front());
    });
    EXPECT_EQ(message.status, "accepted");
    EXPECT_EQ(next.provider->receipts(message.id), 1);
    EXPECT_EQ(next.store.read(
                  [&](Session& session) { return broken_invariants(session, clock.now_ms()); }),
              std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(AtEachStep, KilledProcess,
                         testing::Values("delivery.before_sending", "delivery.after_sending",
                                         "delivery.after_send", "delivery.before_ack",
                                         "delivery.after_ack"),
                         [](const auto& tested) {
                             return std::string{tested.param}.substr(
                                 std::string_view{"delivery."}.size());
                         });

}  // namespace
}  // namespace patchbay
