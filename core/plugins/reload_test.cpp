// Generations: what is replaced, what stays, and that nothing of the old library is left.
#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include "plugins/test_plugins.hpp"

namespace patchbay {
namespace {

class Reload : public PluginTest {
protected:
    void start_faulty() {
        install("one/faulty");
        add("sms", "faulty", {{"token", "secret-token"}});
        start();
    }
    // Copies of plugin libraries that are mapped into this process from our staging folder.
    size_t mapped_copies() const {
        std::set<std::string> files;
        std::ifstream maps("/proc/self/maps");
        for (std::string line; std::getline(maps, line);) {
            const size_t path = line.find((folder / "staging").string());
            if (path != std::string::npos) files.insert(line.substr(path));
        }
        return files.size();
    }
};

TEST_F(Reload, SwitchesToTheNewVersionOfTheFile) {  // G21
    start_faulty();
    EXPECT_EQ(send("sms", "version").provider_id, "1.0.0");
    install("two/faulty");
    EXPECT_EQ(send("sms", "version").provider_id, "1.0.0")
        << "a replaced file changes nothing by itself";
    host->reload("sms");
    EXPECT_EQ(send("sms", "version").provider_id, "2.0.0");
    EXPECT_EQ(host->find("sms")->generation, 2);
    EXPECT_EQ(host->find("sms")->version, "2.0.0");
    EXPECT_EQ(mapped_copies(), 1u);
}

TEST_F(Reload, KeepsTheOldGenerationWhenTheNewOneIsRefused) {  // G21, F44, F45
    start_faulty();
    write_whole(plugin_file("faulty"), "garbage");
    EXPECT_THROW(host->reload("sms"), Error);
    EXPECT_EQ(send("sms", "version").provider_id, "1.0.0");
    EXPECT_EQ(state_of("sms"), InstanceState::active);
    EXPECT_EQ(error_of("sms"), "the file is not a library (no ELF header)");

    install("two/faulty");
    InstanceConfig broken = config.plugins[0];
    broken.config["mode"] = "throws in create";
    EXPECT_THROW(host->reload(broken), Error);
    broken.config["mode"] = "refused";
    EXPECT_THROW(host->reload(broken), ConfigError);
    EXPECT_EQ(send("sms", "version").provider_id, "1.0.0");
    EXPECT_EQ(mapped_copies(), 1u);
}

TEST_F(Reload, SurvivesAFileThatIsSwappedWhileItIsLoaded_F44) {
    start_faulty();
    write_whole(plugin_file("faulty"), "");  // Truncated in place, as a careless copy does.
    EXPECT_EQ(send("sms", "version").provider_id, "1.0.0");
    std::filesystem::remove(plugin_file("faulty"));
    EXPECT_EQ(send("sms", "version").provider_id, "1.0.0");
}

TEST_F(Reload, WaitsForLeasesAndLetsThemFinish) {  // G21
    start_faulty();
    auto lease = host->lease("sms");
    install("two/faulty");
    auto reloading = std::async(std::launch::async, [&] { host->reload("sms"); });
    while (host->find("sms")->generation < 2 || send("sms", "version").provider_id != "2.0.0")
        std::this_thread::yield();
    EXPECT_EQ(lease->send({}, {.text = "version"}).provider_id, "1.0.0")
        << "work ends on the version it began with";
    lease.reset();
    reloading.get();
    EXPECT_EQ(mapped_copies(), 1u);
}

TEST_F(Reload, LeavesAStuckGenerationMappedAndCountsIt) {
    install("one/faulty");
    add("sms", "faulty", {{"token", "secret-token"}}).limits.drain_timeout = milliseconds{1};
    start();
    const auto lease = host->lease("sms");
    host->reload("sms");
    EXPECT_EQ(host->find("sms")->stuck, 1);
    EXPECT_EQ(lease->send({}, {.text = "version"}).provider_id, "1.0.0")
        << "its calls may still end";
    EXPECT_EQ(mapped_copies(), 2u);
}

TEST_F(Reload, SeesThatALibraryDidNotGo) {  // section 14, thread_local with destructor
    install("two/lone");
    add("lone", "lone");
    start();
    EXPECT_EQ(send("lone", "x").outcome,
              Outcome::accepted);  // Runs the thread-local of this thread.
    host->disable("lone");
    EXPECT_EQ(host->find("lone")->resident, 1);
    EXPECT_EQ(mapped_copies(), 1u);
}

TEST_F(Reload, NeverRunsTwoGenerationsOfAnExclusivePlugin) {
    install("one/lone");
    add("lone", "lone");
    start();
    ASSERT_EQ(error_of("lone"), "");
    host->reload("lone");  // Two at once would refuse to start.
    EXPECT_EQ(host->find("lone")->generation, 2);

    InstanceConfig broken = config.plugins[0];
    broken.config["broken"] = "true";
    EXPECT_THROW(host->reload(broken), Error);
    EXPECT_EQ(send("lone", "x").outcome, Outcome::accepted) << "the old one came back";
    EXPECT_EQ(mapped_copies(), 1u);
}

TEST_F(Reload, LosesNoCallWhileOthersKeepCalling) {  // G21, plugin-sdk section 8
#if defined(NDEBUG)
    constexpr int reloads = 500;
#else
    constexpr int reloads = 40;
#endif
    start_faulty();
    std::atomic<bool> stop{false};
    std::atomic<int64_t> calls{0}, failed{0};
    std::latch running(4);
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
        callers.emplace_back([&] {
            running.count_down();
            while (!stop) {
                const auto lease = host->lease("sms");
                const bool fine =
                    lease && lease->send({}, {.text = "version"}).outcome == Outcome::accepted;
                ++(fine ? calls : failed);
            }
        });
    }
    running.wait();
    for (int i = 0; i < reloads; ++i) host->reload("sms");
    stop = true;
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(failed, 0);
    EXPECT_GT(calls, reloads);
    EXPECT_EQ(host->find("sms")->generation, reloads + 1);
    EXPECT_EQ(host->find("sms")->resident, 0);
    EXPECT_EQ(mapped_copies(), 1u);
}

}  // namespace
}  // namespace patchbay
