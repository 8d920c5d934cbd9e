// isolation: process, seen by those who use plugins: what a plugin does to its own process.
#include <signal.h>

#include <future>
#include <latch>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "plugins/process/child_process.hpp"
#include "plugins/process/restart_budget.hpp"
#include "plugins/process/sanitized.hpp"
#include "plugins/test_plugins.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class Isolation : public PluginTest {
protected:
    Isolation() { install("one/deadly"); }
    ~Isolation() override { host.reset(); }  // Before its clock.

    InstanceConfig& add_isolated(const std::string& name, const std::string& mode = "") {
        InstanceConfig& instance = add(name, "deadly", {{"mode", mode}});
        instance.isolation = "process";
        return instance;
    }
    PluginHost& start_isolated() {
        host.emplace(config, recording.services, folder / "staging", &clock);
        host->start();
        return *host;
    }
    template <class Holds>
    void wait_until(const char* what, Holds holds) {
        const auto until = std::chrono::steady_clock::now() + 60s;
        while (!holds()) {
            ASSERT_LT(std::chrono::steady_clock::now(), until) << what;
            std::this_thread::sleep_for(1ms);
        }
    }
    void wait_for_state(const std::string& instance, InstanceState state) {
        wait_until("the state", [&] { return state_of(instance) == state; });
    }
    /// Lets the back-off pass.
    void wait_until_it_runs_again(const std::string& instance) {
        wait_until("another process", [&] {
            clock.advance(1s);
            return state_of(instance) == InstanceState::active;
        });
    }
    std::string said(const std::string& instance, const std::string& text) {
        return send(instance, text).provider_id;
    }
    /// What became of a call that does harm.
    Error broken(const std::string& instance, const std::string& fault, milliseconds left = 10s) {
        try {
            host->lease(instance)->send(Call{.left = left}, OutboundMessage{.text = fault});
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << fault << " was accepted";
        return Error(ErrorKind::none, "");
    }

    ManualClock clock;
};

bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

TEST_F(Isolation, CarriesCallsOfTheSameUnchangedLibrary) {
    install("hello");
    add("greeter", "hello", {{"greeting", "Good day"}}).isolation = "process";
    start();
    ASSERT_EQ(error_of("greeter"), "");
    EXPECT_EQ(host->find("greeter")->isolation, "process");
    const auto lease = host->lease("greeter");
    EXPECT_EQ(lease->capabilities().max_text_chars, 160u);
    EXPECT_EQ(lease->send({}, {.id = "7", .text = "Ann"}).provider_id, "hello-7");
    EXPECT_EQ(recording.lines(), std::vector<std::string>{"greeter: Good day Ann"});
    EXPECT_EQ(lease->receive({}, {.body = "hi", .peer = "192.0.2.1", .id = "r1"}).at(0).text, "hi");
}

TEST_F(Isolation, RunsThePluginInAnotherProcessThatEndsWithTheInstance) {
    add_isolated("sms");
    start_isolated();
    const pid_t pid = std::stoi(said("sms", "pid"));
    EXPECT_NE(pid, ::getpid());
    EXPECT_TRUE(is_alive(pid));
    host->disable("sms");
    EXPECT_FALSE(is_alive(pid)) << "and it is reaped, or its number would still be there";
}

TEST_F(Isolation, CarriesErrorsAsInProcess_F40) {
    install("one/faulty");
    add("sms", "faulty", {{"token", "secret-token"}}).isolation = "process";
    install("one/rough");
    add("rough", "rough").isolation = "process";
    start();
    EXPECT_EQ(broken("sms", "std exception").kind, ErrorKind::internal);
    EXPECT_EQ(broken("sms", "number").kind, ErrorKind::internal);
    EXPECT_EQ(broken("sms", "unauthorized").kind, ErrorKind::unauthorized);
    EXPECT_EQ(broken("sms", "http").kind, ErrorKind::unsupported);
    EXPECT_TRUE(broken("sms", "connection").request_left);
    EXPECT_STREQ(broken("rough", "").what(), "the plugin threw through the boundary");
    EXPECT_EQ(said("sms", "fine"), "1.0.0");
    EXPECT_EQ(state_of("sms"), InstanceState::active);
}

TEST_F(Isolation, ReportsMistakesOfAConfigurationAsInProcess) {
    install("one/faulty");
    auto& instance = add("sms", "faulty", {{"mode", "refused"}, {"size", "11"}});
    instance.isolation = "process";
    start();
    EXPECT_EQ(state_of("sms"), InstanceState::failed);
    EXPECT_EQ(host->check(instance).size(), 3u);
}

TEST_F(Isolation, LeavesTheHubAndOtherPluginsAlone_F42) {
    install("hello");
    add("other", "hello");
    add_isolated("sms");
    start_isolated();
    for (const char* fault : {"segfault", "abort", "stack overflow", "noexcept", "exit"}) {
        SCOPED_TRACE(fault);
        const pid_t pid = std::stoi(said("sms", "pid"));
        const Error error = broken("sms", fault);
        EXPECT_EQ(error.kind, ErrorKind::unavailable);
        EXPECT_TRUE(error.request_left) << "a send becomes unknown, not sent again";
        EXPECT_TRUE(std::string(error.what()).starts_with("the process died in send: "))
            << error.what();
        EXPECT_FALSE(is_alive(pid)) << "no zombie";
        EXPECT_EQ(send("other", "x").outcome, Outcome::accepted);
        wait_until_it_runs_again("sms");
        EXPECT_EQ(said("sms", "fine"), "fine");
        clock.advance(10min);  // Another day: the budget is not what is tested here.
    }
}

TEST_F(Isolation, SaysWithWhatTheProcessDied) {
    if (is_sanitized) GTEST_SKIP() << "a sanitizer ends its process in its own way";
    add_isolated("sms");
    start_isolated();
    EXPECT_STREQ(broken("sms", "segfault").what(),
                 "the process died in send: Segmentation fault (signal 11)");
    wait_for_state("sms", InstanceState::restarting);
    EXPECT_EQ(error_of("sms"), "the process died in send: Segmentation fault (signal 11)");
    wait_until_it_runs_again("sms");
    EXPECT_STREQ(broken("sms", "exit").what(), "the process died in send: exit code 3");
}

TEST_F(Isolation, IsNotActiveWhileItRestartsAndRefusesCallsSoThatTheyAreTriedAgain) {
    add_isolated("sms");
    start_isolated();
    const auto lease = host->lease("sms");
    broken("sms", "abort");
    wait_for_state("sms", InstanceState::restarting);
    EXPECT_EQ(host->lease("sms"), nullptr) << "sends and webhooks wait";
    try {
        lease->send({}, {.text = "fine"});
        ADD_FAILURE() << "there is no process";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::unavailable);
        EXPECT_FALSE(error.request_left);
        EXPECT_TRUE(
            std::string(error.what()).starts_with("the plugin's process is being started again: "))
            << error.what();
    }
    clock.advance(999ms);
    EXPECT_EQ(state_of("sms"), InstanceState::restarting) << "the back-off is one second";
    wait_until_it_runs_again("sms");
    EXPECT_EQ(lease->send({}, {.text = "fine"}).provider_id, "fine") << "it is the same generation";
}

TEST_F(Isolation, GivesUpWhenTheBudgetIsSpentAndComesBackWhenSomebodyActs) {
    add_isolated("sms").restart = {.max = 2, .per = 10min};
    start_isolated();
    for (int i = 0; i < 2; ++i) {
        broken("sms", "abort");
        wait_for_state("sms", InstanceState::restarting);
        wait_until_it_runs_again("sms");
    }
    broken("sms", "abort");
    wait_for_state("sms", InstanceState::failed);
    EXPECT_TRUE(
        error_of("sms").starts_with("the process died more than 2 times in 600 s, at last: "))
        << error_of("sms");
    EXPECT_EQ(host->lease("sms"), nullptr) << "sends wait for it";
    EXPECT_TRUE(host->webhooks("sms")) << "and webhooks are kept";
    host->reload("sms");
    EXPECT_EQ(state_of("sms"), InstanceState::active);
    EXPECT_EQ(error_of("sms"), "");
    EXPECT_EQ(said("sms", "fine"), "fine");
}

TEST_F(Isolation, CountsARestartThatFailsAgainstTheBudget) {
    add_isolated("sms", "crashes in the second create").restart = {.max = 3, .per = 10min};
    start_isolated();
    broken("sms", "abort");
    wait_until("the budget is spent", [&] {
        clock.advance(1s);
        return state_of("sms") == InstanceState::failed;
    });
    EXPECT_NE(error_of("sms").find("died in create"), std::string::npos) << error_of("sms");
    const std::string metrics = metrics_text();
    EXPECT_NE(metrics.find("patchbay_plugin_restarts_total{instance=\"sms\"}"), std::string::npos);
}

TEST_F(Isolation, ComesBackWhenTheKernelTookItsProcessForWantOfMemory_F42) {
    add_isolated("sms");
    start_isolated();
    ::kill(std::stoi(said("sms", "pid")), SIGKILL);  // As the kernel does, with no call in it.
    wait_for_state("sms", InstanceState::restarting);
    EXPECT_EQ(error_of("sms"), "the process ended: Killed (signal 9)");
    wait_until_it_runs_again("sms");
    EXPECT_EQ(said("sms", "fine"), "fine");
}

TEST_F(Isolation, TellsOfEachChange) {
    add_isolated("sms").restart = {.max = 1, .per = 10min};
    std::mutex mutex;
    std::vector<InstanceState> told;
    host.emplace(config, recording.services, folder / "staging", &clock);
    host->on_contained([&](const std::string& instance) {
        const std::lock_guard lock(mutex);
        told.push_back(host->find(instance)->state);
    });
    host->start();
    const auto last_is = [&](InstanceState state) {
        const std::lock_guard lock(mutex);
        return !told.empty() && told.back() == state;
    };
    broken("sms", "abort");
    wait_until("it is told", [&] { return last_is(InstanceState::restarting); });
    wait_until_it_runs_again("sms");
    wait_until("it is told", [&] { return last_is(InstanceState::active); });
    broken("sms", "abort");
    wait_until("it is told", [&] { return last_is(InstanceState::failed); });
    host->stop();
}

TEST_F(Isolation, StopsWhileItRestarts) {
    add_isolated("sms");
    start_isolated();
    broken("sms", "abort");
    wait_for_state("sms", InstanceState::restarting);
    host->stop();
    EXPECT_EQ(state_of("sms"), InstanceState::gone);
}

TEST_F(Isolation, KeepsThePluginOutThatCrashesBeforeItServes_F42) {
    add_isolated("check", "crashes in check_config");
    add_isolated("create", "crashes in create");
    add_isolated("good");
    start_isolated();
    EXPECT_EQ(state_of("check"), InstanceState::failed);
    EXPECT_EQ(state_of("create"), InstanceState::failed);
    EXPECT_TRUE(error_of("check").starts_with("the process died in check_config: "));
    EXPECT_TRUE(error_of("create").starts_with("the process died in create: "));
    EXPECT_EQ(state_of("good"), InstanceState::active);
}

TEST_F(Isolation, KillsAtTheDeadlineOfTheCall_F41) {
    add_isolated("sms");
    start_isolated();
    const pid_t pid = std::stoi(said("sms", "pid"));
    const Error error = broken("sms", "loop", 200ms);
    EXPECT_EQ(error.kind, ErrorKind::timed_out);
    EXPECT_TRUE(error.request_left);
    EXPECT_STREQ(error.what(), "send did not end in time, the process was killed");
    wait_until("its end", [&] { return !is_alive(pid); });
    wait_until_it_runs_again("sms");
    EXPECT_THROW(host->lease("sms")->receive(Call{.left = 200ms}, {.body = "loop"}), Error);
    wait_for_state("sms", InstanceState::restarting);
    EXPECT_EQ(error_of("sms"), "receive did not end in time, the process was killed");
}

TEST_F(Isolation, KillsAProcessThatSaysWhatIsNoFrame) {
    add_isolated("sms");
    start_isolated();
    const std::pair<const char*, const char*> faults[] = {
        {"garbage", "it sent bytes that are no frame"},
        {"too much", "it sent a frame over 4 MiB"},
        {"unasked", "it sent an answer to what nobody asked"}};
    for (const auto& [fault, reason] : faults) {
        SCOPED_TRACE(fault);
        const Error error = broken("sms", fault);
        EXPECT_EQ(error.kind, ErrorKind::unavailable);
        EXPECT_TRUE(error.request_left);
        EXPECT_STREQ(error.what(), reason);
        wait_until_it_runs_again("sms");
        clock.advance(10min);
    }
    EXPECT_EQ(said("sms", "fine"), "fine");
}

TEST_F(Isolation, LosesAProcessThatClosesItsSocket) {
    add_isolated("sms");
    start_isolated();
    const pid_t pid = std::stoi(said("sms", "pid"));
    const Error error = broken("sms", "close");
    EXPECT_EQ(error.kind, ErrorKind::unavailable);
    EXPECT_TRUE(error.request_left);
    EXPECT_FALSE(is_alive(pid)) << "by itself, or killed: whoever sees it first";
    wait_until_it_runs_again("sms");
    EXPECT_EQ(said("sms", "fine"), "fine");
}

TEST_F(Isolation, RefusesAnswersThatBreakTheContract_F43) {
    add_isolated("sms");
    start_isolated();
    for (const char* fault : {"5 MiB", "not utf-8", "nul"}) {
        SCOPED_TRACE(fault);
        const Error error = broken("sms", fault);
        EXPECT_EQ(error.kind, ErrorKind::internal);
        EXPECT_FALSE(error.request_left);
    }
    EXPECT_EQ(state_of("sms"), InstanceState::active);
    EXPECT_EQ(said("sms", "fine"), "fine");
}

TEST_F(Isolation, AnswersWhatFindsNoMemoryAndTakesANewProcess_F42_F43) {
    if (is_sanitized) GTEST_SKIP() << "no limit of memory beside a sanitizer";
    add_isolated("sms").limits.memory_bytes = 64u << 20;
    start_isolated();
    for (const char* fault : {"2 GiB", "all memory"}) {
        SCOPED_TRACE(fault);
        const std::string pid = said("sms", "pid");
        EXPECT_EQ(broken("sms", fault).kind, ErrorKind::internal) << "std::bad_alloc";
        wait_until("another process", [&] { return said("sms", "pid") != pid; });
        EXPECT_EQ(state_of("sms"), InstanceState::active) << "no restart, but a replacement";
    }
}

TEST_F(Isolation, ReplacesTheProcessOfALeakBeforeACallFails_F43) {
    if (is_sanitized) GTEST_SKIP() << "no limit of memory beside a sanitizer";
    for (const char* planted : {"one/deadly", "two/deadly"}) {  // The second one is exclusive.
        SCOPED_TRACE(planted);
        install(planted);
        config.plugins.clear();
        add_isolated("sms").limits.memory_bytes = 64u << 20;
        start_isolated();
        std::set<std::string> processes;
        for (int i = 0; i < 300; ++i) {  // 300 MiB
            EXPECT_EQ(said("sms", "leak"), "fine") << "no call fails";
            processes.insert(said("sms", "pid"));
        }
        EXPECT_GE(processes.size(), 4u);
        EXPECT_EQ(state_of("sms"), InstanceState::active);
        EXPECT_EQ(error_of("sms"), "");
    }
}

TEST_F(Isolation, LosesNoCallOfManyWhileProcessesAreReplaced_F43) {
    if (is_sanitized) GTEST_SKIP() << "no limit of memory beside a sanitizer";
    add_isolated("sms").limits.memory_bytes = 64u << 20;
    start_isolated();
    std::atomic<int> fine{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i)
        callers.emplace_back([&] {
            for (int call = 0; call < 100; ++call)
                if (said("sms", "leak") == "fine") ++fine;
        });
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(fine, 400);
}

TEST_F(Isolation, LetsAPluginUseUpItsOwnDescriptorsOnly) {
    auto& instance = add_isolated("sms");
    instance.limits.files = 32;
    add_isolated("other");
    start_isolated();
    EXPECT_EQ(said("sms", "all descriptors"), "28") << "32 without the four it has";
    EXPECT_EQ(said("sms", "fine"), "fine") << "calls need none";
    EXPECT_EQ(said("other", "all descriptors"), "252");
    std::ifstream hub("/proc/self/status");
    EXPECT_TRUE(hub.good());
}

TEST_F(Isolation, HandsOnNothingOfTheHub) {
    const int ours = ::dup(2);  // Not close-on-exec, as the sockets of a library may be.
    ::setenv("PATCHBAY_TEST_SECRET", "of the hub", 1);
    add_isolated("sms");
    start_isolated();
    EXPECT_EQ(said("sms", "descriptors"), "0 1 2 3");
    EXPECT_EQ(said("sms", "environment"), "nothing");
    EXPECT_EQ(said("sms", "limits"), "0 256");
    ::unsetenv("PATCHBAY_TEST_SECRET");
    ::close(ours);
}

TEST_F(Isolation, ServesHostCallsWhileItsOwnCallsAreOut) {
    add_isolated("sms").limits.concurrency = 4;
    start_isolated();
    recording.put("key", "value");
    std::vector<std::future<std::string>> waiting;
    for (int i = 0; i < 4; ++i)
        waiting.push_back(std::async(std::launch::async, [&] { return said("sms", "wait"); }));
    wait_until("they run", [&] { return recording.value("waiting") == "yes"; });
    EXPECT_EQ(host->lease("sms")->receive({}, {.body = "ask the host"}).at(0).text, "value")
        << "sends that wait for a provider keep no webhook waiting";
    recording.put("go on", "yes");
    for (auto& one : waiting) EXPECT_EQ(one.get(), "fine");
}

TEST_F(Isolation, ServesHostCallsForTheRequestThatTheCallIsPartOf) {
    install("hello");
    add("greeter", "hello").isolation = "process";
    LogScope::Ids seen;
    recording.services.register_method("log/1", method::log,
                                       [&](const ServiceCaller&, std::string_view) {
                                           seen = LogScope::ids();
                                           return std::string();
                                       });
    start();
    const LogScope scope("req-1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    send("greeter", "Ann");
    EXPECT_EQ(seen.request_id, "req-1");
    EXPECT_EQ(seen.trace, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

TEST_F(Isolation, EndsAnInstanceWhoseCallsDoNotReturn) {
    add_isolated("sms").limits.drain_timeout = 1ms;
    start_isolated();
    auto waiting = std::async(std::launch::async, [&] { return broken("sms", "wait"); });
    wait_until("it runs", [&] { return recording.value("waiting") == "yes"; });
    host->disable("sms");
    const Error error = waiting.get();
    EXPECT_EQ(error.kind, ErrorKind::unavailable);
    EXPECT_TRUE(error.request_left);
    EXPECT_EQ(host->find("sms")->stuck, 0) << "nothing stays loaded";
}

TEST_F(Isolation, SurvivesACrashAmongManyCalls_F42) {
    add_isolated("sms");
    start_isolated();
    std::latch running(4);
    std::atomic<bool> stop{false};
    std::atomic<int> fine{0}, other{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i)
        callers.emplace_back([&] {
            running.count_down();
            while (!stop) {
                try {
                    if (const auto lease = host->lease("sms")) lease->send({}, {.text = "fine"});
                    ++fine;
                } catch (const Error& error) {
                    if (error.kind != ErrorKind::unavailable) ++other;
                }
            }
        });
    running.wait();
    for (int i = 0; i < 3; ++i) {
        broken("sms", "segfault");
        wait_until_it_runs_again("sms");
        clock.advance(10min);
    }
    stop = true;
    for (auto& caller : callers) caller.join();
    EXPECT_GT(fine, 0);
    EXPECT_EQ(other, 0);
}

TEST_F(Isolation, IsTheDefaultForWhatTheHubDidNotComeWith) {
    install("hello");
    config.plugin_path.push_back(std::filesystem::canonical(PATCHBAY_PLUGINS));
    add("theirs", "deadly").isolation = "auto";
    add("ours", "auto_reply",
        {{"rules[]", "1"}, {"rules[0].contains", "open"}, {"rules[0].reply", "9 to 5"}})
        .isolation = "auto";
    add("copied", "hello").isolation = "auto";
    add("trusted", "deadly");
    start();
    EXPECT_EQ(host->find("theirs")->isolation, "process");
    EXPECT_EQ(host->find("ours")->isolation, "none");
    EXPECT_EQ(host->find("copied")->isolation, "process") << "it lies in another folder";
    EXPECT_EQ(host->find("trusted")->isolation, "none") << "the operator's choice";
}

// The ten seconds that create() has, made short.
TEST_F(Isolation, KillsAConstructorThatDoesNotEnd_F41) {
    WorkerPool pool("host-call", 2, 16);
    const auto child = ChildProcess::start(
        {.program =
             std::filesystem::read_symlink("/proc/self/exe").parent_path() / "patchbay-plugin-host",
         .library = plugin_file("deadly"),
         .instance = "sms",
         .plugin = "deadly",
         .serve = [](uint32_t,
                     std::string_view) { return wire::pack(std::vector<std::string>{}); }},
        pool);
    child->wait_loaded(10s);
    const std::string given =
        wire::pack(std::map<std::string, std::string>{{"mode", "loops in create"}});
    try {
        child->ask(FrameKind::create, 0, given, 100ms);
        ADD_FAILURE() << "it has ended";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::timed_out);
        EXPECT_STREQ(error.what(), "create did not end in time, the process was killed");
    }
    wait_until("its end", [&] { return child->is_dead(); });
}

TEST_F(Isolation, SaysWhyThereIsNoProcess) {
    WorkerPool pool("host-call", 2, 16);
    try {
        ChildProcess::start({.program = "/nowhere/patchbay-plugin-host"}, pool);
        ADD_FAILURE() << "there is one";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::unavailable);
        EXPECT_STREQ(error.what(),
                     "the plugin's process cannot be started: /nowhere/patchbay-plugin-host: No "
                     "such file or directory");
    }
}

TEST(RestartBudgets, DoubleTheWaitAndSpendThemselves) {
    RestartBudget budget(8, 10min);
    RestartBudget::Time now{};
    for (const auto delay : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s})
        EXPECT_EQ(budget.take(now), delay);
    EXPECT_EQ(budget.take(now), std::nullopt);
    EXPECT_EQ(budget.take(now + 9min), std::nullopt);
    EXPECT_EQ(budget.take(now + 10min), 1s) << "those of ten minutes ago are forgotten";
}

}  // namespace
}  // namespace patchbay
