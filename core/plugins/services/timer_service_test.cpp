#include "plugins/services/timer_service.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace patchbay {
namespace {

using namespace std::chrono_literals;

/// A plugin that notes what it was called for. [any thread]
class Listener : public PluginLease {
public:
    explicit Listener(int64_t generation) : generation_(generation) {}

    void on_timer(std::string_view name, std::string_view payload) override {
        note("timer " + std::string(name) + " " + std::string(payload));
        if (hold) hold->wait();
    }
    void on_task(std::string_view name, std::string_view payload) override {
        note("task " + std::string(name) + " " + std::string(payload));
    }
    int64_t generation() const override { return generation_; }
    std::vector<std::string> heard() const {
        const std::lock_guard lock(mutex_);
        return heard_;
    }
    std::shared_ptr<std::latch> hold;  ///< A timer waits for it. Set before the first call.

    const std::string& instance() const override { return instance_; }
    bool provides(std::string_view) const override { return false; }
    Capabilities capabilities() override { return {}; }
    std::vector<Route> routes() override { return {}; }
    bool is_authentic(const Call&, const Request&) override { return false; }
    std::vector<Event> receive(const Call&, const Request&) override { return {}; }
    Response respond(const Call&, const Request&) override { return {}; }
    SendResult send(const Call&, const OutboundMessage&) override { return {}; }
    std::optional<SendResult> look_up(const Call&, const OutboundMessage&) override { return {}; }
    std::vector<Event> list_since(const Call&, int64_t) override { return {}; }
    std::vector<StepInfo> steps() override { return {}; }
    StepResult run(const Call&, const StepInput&) override { return {}; }
    std::vector<ApiRoute> api_routes() override { return {}; }
    Response answer(const Call&, const Request&) override { return {}; }
    Health health(const Call&) override { return {}; }
    std::string secret(std::string_view) override { return {}; }

private:
    void note(std::string what) {
        const std::lock_guard lock(mutex_);
        heard_.push_back(std::move(what));
    }

    const int64_t generation_;
    const std::string instance_ = "desk";
    mutable std::mutex mutex_;
    std::vector<std::string> heard_;
};

class Timers : public testing::Test {
protected:
    static ServiceCaller caller(int64_t generation) { return {"desk", "desk", generation}; }
    void serve(const std::shared_ptr<Listener>& plugin) {
        {
            const std::lock_guard lock(mutex);
            serving = plugin;
        }
        timers.switched("desk", plugin ? plugin->generation() : 0);
    }
    void pass(std::chrono::milliseconds time) {
        clock.advance(time);
        timers.look_at_clock();
    }
    void settle() {
        while (!timers.is_idle()) std::this_thread::yield();
    }
    using Heard = std::vector<std::string>;

    ManualClock clock;
    std::mutex mutex;
    std::shared_ptr<Listener> serving;
    PluginTimers timers{clock, [this](const std::string&) -> PluginLeasePtr {
                            const std::lock_guard lock(mutex);
                            return serving;
                        }};
};

TEST_F(Timers, BeginWhenTheGenerationServesAndEndWithIt) {
    const auto first = std::make_shared<Listener>(1), second = std::make_shared<Listener>(2);
    timers.every(caller(1), 1s, "tick");
    pass(10s);
    settle();
    EXPECT_EQ(first->heard(), Heard{}) << "it does not serve yet";
    serve(first);
    pass(999ms);
    settle();
    EXPECT_EQ(first->heard(), Heard{}) << "the time begins at the switch";
    pass(1ms);
    settle();
    EXPECT_EQ(first->heard(), Heard{"timer tick "});
    pass(5s);
    settle();
    EXPECT_EQ(first->heard().size(), 2u) << "what was missed is not made up for";

    timers.after(caller(2), 1s, "once", "later");
    serve(second);
    pass(1s);
    settle();
    EXPECT_EQ(first->heard().size(), 2u) << "those of the old one are over";
    EXPECT_EQ(second->heard(), Heard{"timer once later"});
    pass(10s);
    settle();
    EXPECT_EQ(second->heard().size(), 1u);

    timers.every(caller(2), 1s, "tick");
    serve(nullptr);
    serve(second);
    pass(10s);
    settle();
    EXPECT_EQ(second->heard().size(), 1u) << "disabled is ended, too";
}

TEST_F(Timers, NeverRingTwiceAtOnceUnderOneName) {
    const auto plugin = std::make_shared<Listener>(1);
    plugin->hold = std::make_shared<std::latch>(1);
    serve(plugin);
    timers.every(caller(1), 1s, "tick");
    timers.after(caller(1), 1500ms, "tick", "once");
    pass(1s);
    pass(1s);
    pass(1s);
    plugin->hold->count_down();
    settle();
    EXPECT_EQ(plugin->heard(), Heard{"timer tick "}) << "one at a time";
    pass(100ms);
    settle();
    EXPECT_EQ(plugin->heard(), (Heard{"timer tick ", "timer tick once"}))
        << "what rings once is not lost";
}

TEST_F(Timers, AreCancelledByTheirOwnerAlone) {
    const auto plugin = std::make_shared<Listener>(1);
    serve(plugin);
    const uint64_t number = timers.after(caller(1), 1s, "once", "");
    timers.cancel({"other", "desk", 1}, number);
    timers.cancel(caller(1), timers.after(caller(1), 1s, "cancelled", ""));
    pass(1s);
    settle();
    EXPECT_EQ(plugin->heard(), Heard{"timer once "});
    timers.cancel(caller(1), number);
    EXPECT_THROW(timers.every(caller(1), 99ms, "often"), Error);
    for (int i = 0; i < 1'000; ++i) timers.after(caller(1), 1h, "many", "");
    EXPECT_THROW(timers.after(caller(1), 1h, "many", ""), Error);
}

TEST_F(Timers, RunTasksOfTheGenerationThatServes) {
    const auto first = std::make_shared<Listener>(1), second = std::make_shared<Listener>(2);
    timers.post(caller(1), "early", "a");
    settle();
    EXPECT_EQ(first->heard(), Heard{});
    serve(first);
    settle();
    EXPECT_EQ(first->heard(), Heard{"task early a"});
    timers.post(caller(1), "now", "b");
    settle();
    EXPECT_EQ(first->heard().back(), "task now b");
    timers.post(caller(2), "next", "c");
    serve(second);
    settle();
    EXPECT_EQ(second->heard(), Heard{"task next c"});
}

TEST_F(Timers, RingByThemselvesOnceStarted) {
    SystemClock real;
    const auto plugin = std::make_shared<Listener>(1);
    PluginTimers running(real, [&](const std::string&) -> PluginLeasePtr { return plugin; });
    running.start();
    running.switched("desk", 1);
    running.every(caller(1), 100ms, "tick");
    while (plugin->heard().size() < 3) std::this_thread::yield();
    running.stop();
}

}  // namespace
}  // namespace patchbay
