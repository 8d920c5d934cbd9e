// What the tests of this folder share: a real SQLite store in a folder of its own, a clock that
// stands still, and a channel whose provider lives in the test.
#pragma once
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <set>

#include "delivery/delivery.hpp"
#include "delivery/invariants.hpp"
#include "delivery/statements.hpp"
#include "delivery/status.hpp"
#include "messaging/views.hpp"
#include "store/migrations.hpp"

namespace patchbay {

/// Waits for something that other threads bring about; false after ten seconds, which no passing
/// test needs.
template <class Condition>
bool eventually(Condition&& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (std::chrono::steady_clock::now() < end) {
        if (condition()) return true;
        std::this_thread::yield();
    }
    return condition();
}

/// A channel plugin and its provider in one. [any thread]
class FakeChannel : public PluginLease {
public:
    using Answer = std::function<SendResult(const OutboundMessage&)>;

    SendResult send(const Call& call, const OutboundMessage& message) override {
        Answer answer;
        {
            const std::lock_guard lock{mutex_};
            calls_.push_back(call);
            sent_.push_back(message);
            if (!answers_.empty()) {
                answer = answers_.front();
                answers_.pop_front();
            }
        }
        if (answer) return answer(message);
        return SendResult::accepted("P-" + message.id);
    }
    std::optional<SendResult> look_up(const Call&, const OutboundMessage& message) override {
        {
            const std::lock_guard lock{mutex_};
            ++looks_;
        }
        if (!look_up_answer) return std::nullopt;
        return look_up_answer(message);
    }
    Capabilities capabilities() override {
        const std::lock_guard lock{mutex_};
        return can;
    }
    const std::string& instance() const override { return instance_; }
    bool provides(std::string_view) const override { return true; }
    std::vector<Route> routes() override { return {}; }
    bool is_authentic(const Call&, const Request&) override { return false; }
    std::vector<Event> receive(const Call&, const Request&) override { return {}; }
    Response respond(const Call&, const Request&) override { return {}; }
    std::vector<Event> list_since(const Call&, int64_t) override { return {}; }
    std::vector<StepInfo> steps() override { return {}; }
    StepResult run(const Call&, const StepInput&) override { return {}; }
    std::vector<ApiRoute> api_routes() override { return {}; }
    Response answer(const Call&, const Request&) override { return {}; }
    Health health(const Call&) override { return {}; }
    std::string secret(std::string_view) override { return {}; }

    /// The next call gets this; when none is left, calls are accepted.
    void answers(Answer answer) {
        const std::lock_guard lock{mutex_};
        answers_.push_back(std::move(answer));
    }
    void answers(const SendResult& result) {
        answers([result](const OutboundMessage&) { return result; });
    }
    template <class Thrown>
    void throws(const Thrown& error) {
        answers([error](const OutboundMessage&) -> SendResult { throw error; });
    }
    std::vector<OutboundMessage> sent() const {
        const std::lock_guard lock{mutex_};
        return sent_;
    }
    std::vector<Call> calls() const {
        const std::lock_guard lock{mutex_};
        return calls_;
    }
    int looks() const {
        const std::lock_guard lock{mutex_};
        return looks_;
    }

    Capabilities can;  ///< Set before the first call.
    std::function<std::optional<SendResult>(const OutboundMessage&)> look_up_answer;

private:
    std::string instance_ = "sms";
    mutable std::mutex mutex_;
    std::deque<Answer> answers_;
    std::vector<OutboundMessage> sent_;
    std::vector<Call> calls_;
    int looks_ = 0;
};

inline const Statement test_jobs{
    "test.jobs", "SELECT id,state,attempt,run_at,last_error,phase FROM jobs ORDER BY id", {}, true};
inline const Statement test_attempts{
    "test.attempts", "SELECT class FROM attempts ORDER BY id", {}, true};

class DeliveryTest : public testing::Test {
protected:
    ~DeliveryTest() override { std::filesystem::remove_all(folder); }

    QueuedMessage queue(const std::string& to, const std::string& text = "hello") {
        Draft draft;
        draft.channel = "sms";
        draft.to = Address::phone(to);
        draft.text = text;
        return queue(draft);
    }
    QueuedMessage queue(const Draft& draft) {
        return store.write(
            [&](Transaction& tx) { return queue_message(tx, mint, draft, clock.now_ms()); });
    }
    std::string status_of(const std::string& message_id) {
        const auto view =
            store.read([&](Session& session) { return find_message(session, message_id); });
        return view ? view->status : "none";
    }
    std::string job_state(int64_t id) {
        return store.read(
            [&](Session& session) { return session.first(sql::job_get, {id})->text(5); });
    }
    int64_t job_attempt(int64_t id) {
        return store.read(
            [&](Session& session) { return session.first(sql::job_get, {id})->number(7); });
    }
    TimeMs job_run_at(int64_t id) {
        return store.read(
            [&](Session& session) { return session.first(sql::job_get, {id})->number(9); });
    }
    std::vector<std::string> tries() {
        return store.read([](Session& session) {
            std::vector<std::string> classes;
            for (const Row& row : session.run(test_attempts)) classes.push_back(row.text(0));
            return classes;
        });
    }
    std::vector<ClaimedJob> claim(size_t count = 1, const std::string& owner = "me") {
        return store.write([&](Transaction& tx) {
            return claim_jobs(tx, {"sms", owner, count}, clock.now_ms(),
                              clock.steady() + job_lease);
        });
    }
    StatusApplied callback(const std::string& provider_id, const std::string& status,
                           const std::string& our_id = "", TimeMs at = 0) {
        const StatusEvent event{.channel = "sms",
                                .provider_id = provider_id,
                                .our_message_id = our_id,
                                .status = status,
                                .at = at};
        return store.write(
            [&](Transaction& tx) { return apply_status_event(tx, ids, event, clock.now_ms()); });
    }
    void expect_sound() {
        const auto broken = store.read(
            [&](Session& session) { return broken_invariants(session, clock.now_ms()); });
        EXPECT_EQ(broken, std::vector<std::string>{});
    }
    LeaseSource leases() {
        return
            [this](const std::string&) { return std::static_pointer_cast<PluginLease>(channel); };
    }

    std::filesystem::path folder = [] {
        std::string name = testing::TempDir() + "delivery_XXXXXX";
        return std::filesystem::path{mkdtemp(name.data())};
    }();
    ManualClock clock;
    struct MigratedStore : Store {
        MigratedStore(const StoreConfig& config, const Clock& clock_) : Store(config, clock_) {
            migrate("core", core_migrations());
        }
    };
    MigratedStore store{{.url = "sqlite:test.db", .base = folder, .ballast_bytes = 0}, clock};
    Ids ids{clock};
    Numbers numbers{store};
    Mint mint{ids, numbers};
    std::shared_ptr<FakeChannel> channel = std::make_shared<FakeChannel>();
};

/// One sender, driven by the test's own thread: claim, run, look.
class SenderTest : public DeliveryTest {
protected:
    /// Claims the next due job and works on it. False: none is due.
    bool send_next() {
        auto jobs = claim(1, "me");
        if (jobs.empty()) return false;
        sender.run(jobs.front());
        return true;
    }
    void advance(std::chrono::milliseconds by) { clock.advance(by); }

    std::vector<MessageChange> changes;
    OutcomeBoard board;
    DeliveryContext context{
        store, ids, board, "me", [this](const MessageChange& change) { changes.push_back(change); },
        {}};
    std::shared_ptr<ChannelGate> gate =
        std::make_shared<ChannelGate>(ChannelSettings{.instance = "sms"}, leases(), clock);
    Sender sender{context, gate};
};

}  // namespace patchbay
