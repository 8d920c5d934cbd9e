// Calls that do not come back, through the host (G16, F41).
#include <future>
#include <latch>

#include "base/abandonable.hpp"
#include "base/metrics.hpp"
#include "plugins/test_plugins.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class Containing : public PluginTest {
protected:
    ~Containing() override { release(); }

    void start_stalling(const std::string& mode = "") {
        install("one/stalling");
        add("bad", "stalling", {{"gate", gate()}, {"mode", mode}}).limits.drain_timeout = 60s;
        add("good", "stalling", {{"gate", gate()}});
        start();
    }
    std::string gate() const { return folder / "gate"; }
    void release() {
        write_whole(gate(), "");
        for (auto& caller : callers_) caller.wait();
        callers_.clear();
    }

    // A caller's thread that hangs in the plugin; answers when it was given up.
    void hang(const std::string& instance, const std::string& text = "hang") {
        auto given_up = std::make_shared<std::latch>(1);
        callers_.push_back(std::async(std::launch::async, [this, instance, text, given_up] {
            const Abandonable work{[given_up](Rest&) { given_up->count_down(); }};
            try {
                host->lease(instance)->send(Call{.left = 1ms}, {.id = "m", .text = text});
                return ErrorKind::none;
            } catch (const Error& error) {
                return error.kind;
            }
        }));
        given_up->wait();
    }
    ErrorKind end_of_last() {
        write_whole(gate(), "");
        return callers_.back().get();
    }
    template <class Condition>
    void eventually(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        EXPECT_TRUE(condition());
    }

    std::vector<std::future<ErrorKind>> callers_;
};

TEST_F(Containing, AnswersInThePluginsPlaceAndCountsTheThread_F41) {
    start_stalling();
    hang("bad");
    EXPECT_EQ(host->find("bad")->lost_threads, 1);
    EXPECT_EQ(host->find("good")->lost_threads, 0);
    EXPECT_EQ(send("good", "hello").outcome, Outcome::accepted);
    EXPECT_EQ(send("bad", "hello").outcome, Outcome::accepted) << "one is no reason to stop";
    EXPECT_NE(
        metrics_text().find(
            "patchbay_plugin_calls_total{instance=\"bad\",call=\"send\",error=\"timed_out\"} 1"),
        std::string::npos);
    EXPECT_EQ(end_of_last(), ErrorKind::timed_out);
    callers_.clear();
    EXPECT_EQ(host->find("bad")->lost_threads, 0) << "it came back";
}

TEST_F(Containing, RefusesWhatALostThreadAsksOfTheHost) {
    start_stalling();
    hang("bad", "hang, then it stores");
    EXPECT_EQ(end_of_last(), ErrorKind::timed_out);
    EXPECT_EQ(recording.value("after"), "");
    callers_.clear();
    send("bad", "it stores");
    EXPECT_EQ(recording.value("after"), "yes");
}

TEST_F(Containing, SwitchesOffAfterFourAndOnAgainWithAMendedCopy_F41) {
    install("one/stalling");
    add("bad", "stalling", {{"gate", gate()}}).limits.drain_timeout = 60s;
    host.emplace(config, recording.services, folder / "staging");
    std::latch told{1};
    host->on_contained([&](const std::string& instance) {
        EXPECT_EQ(instance, "bad");
        told.count_down();
    });
    host->start();
    for (int i = 0; i < 4; ++i) hang("bad");
    told.wait();
    EXPECT_EQ(host->lease("bad"), nullptr);
    EXPECT_EQ(state_of("bad"), InstanceState::disabled);
    EXPECT_TRUE(host->find("bad")->enabled) << "the operator wants it";
    EXPECT_EQ(error_of("bad"),
              "4 calls into the plugin did not come back, the last was send: it is off until it is "
              "enabled or reloaded; the threads are free again when the server restarts");
    EXPECT_EQ(host->find("bad")->lost_threads, 4);
    EXPECT_EQ(host->find("bad")->stuck, 1) << "its code may still run: it stays mapped";
    EXPECT_TRUE(host->webhooks("bad").has_value()) << "its webhooks are still taken in";

    install("two/stalling");
    host->enable("bad");
    EXPECT_EQ(state_of("bad"), InstanceState::active);
    EXPECT_EQ(error_of("bad"), "");
    EXPECT_EQ(host->find("bad")->lingering(), "1 old copy with a call that did not end (stuck)");
    EXPECT_EQ(send("bad", "hang").outcome, Outcome::accepted);
    EXPECT_EQ(host->find("bad")->lost_threads, 4) << "of the old copy";
    release();
    EXPECT_EQ(host->find("bad")->lost_threads, 0);
}

// drain_timeout is a minute here: nobody waits for what does not come back.
TEST_F(Containing, ReloadsAndStopsAtOnceWhileAThreadHangs_G11) {
    start_stalling();
    hang("bad");
    const auto began = std::chrono::steady_clock::now();
    host->reload("bad");
    EXPECT_EQ(host->find("bad")->stuck, 1);
    EXPECT_EQ(send("bad", "hello").outcome, Outcome::accepted);
    hang("bad");
    host->stop();
    EXPECT_EQ(state_of("bad"), InstanceState::stuck);
    EXPECT_EQ(state_of("good"), InstanceState::gone);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
}

// Hangs of the calls of a plugin's life, which have no caller to answer.
TEST_F(Containing, GivesUpALifeThatHangsAndKeepsItsReason_F41) {
    install("one/stalling");
    add("check", "stalling", {{"gate", gate()}, {"mode", "check_config"}});
    add("good", "stalling", {{"gate", gate()}});
    start();
    EXPECT_EQ(state_of("check"), InstanceState::failed);
    EXPECT_EQ(error_of("check"), "check_config() did not come back within 1000 ms");
    EXPECT_EQ(send("good", "hello").outcome, Outcome::accepted);
    host->reload("good");
    EXPECT_EQ(state_of("good"), InstanceState::active);
}

TEST_F(Containing, ServesOnWithTheOldOneWhenTheNewOneHangs_F41) {
    install("one/stalling");
    add("sms", "stalling", {{"gate", gate()}});
    start();
    InstanceConfig hanging = config.plugins[0];
    hanging.config["mode"] = "capabilities";
    try {
        host->reload(hanging);
        ADD_FAILURE() << "it started";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "capabilities() did not come back within 1000 ms");
    }
    EXPECT_EQ(state_of("sms"), InstanceState::active);
    EXPECT_EQ(send("sms", "hello").outcome, Outcome::accepted);
}

}  // namespace
}  // namespace patchbay
