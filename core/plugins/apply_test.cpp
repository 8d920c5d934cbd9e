// Several instances changed at once; live keys; handover; the way back.
#include <gmock/gmock.h>

#include "plugins/test_plugins.hpp"

namespace patchbay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Apply : public PluginTest {
protected:
    void start_two() {
        install("one/changing");
        install("one/lone");
        add("a", "changing", {{"greeting", "hi"}});
        add("b", "changing");
        start();
    }
    // "a: replace config.fault": one line for each instance that changes.
    static std::vector<std::string> lines(const std::vector<InstanceStep>& steps) {
        std::vector<std::string> out;
        for (const InstanceStep& step : steps) {
            if (step.action == InstanceStep::Action::none) continue;
            std::string line = step.instance + ": " + std::string(word(step.action));
            for (const std::string& key : step.changed) line += " " + key;
            out.push_back(line);
        }
        return out;
    }
    std::vector<std::string> plan() { return lines(host->plan(config.plugins)); }
    std::vector<std::string> apply() {
        return lines(host->apply(config.plugins, [&](const auto&) {}));
    }
    std::string refusal() {
        try {
            apply();
        } catch (const std::exception& error) {
            return error.what();
        }
        return "applied";
    }
    std::string said(const std::string& instance) { return send(instance, "x").provider_id; }
    int64_t generation(const std::string& instance) { return host->find(instance)->generation; }
};

TEST_F(Apply, DoesNothingWhereNothingIsDifferent_G21) {
    start_two();
    EXPECT_THAT(plan(), ElementsAre());
    EXPECT_THAT(apply(), ElementsAre());
    EXPECT_EQ(generation("a"), 1);
}

TEST_F(Apply, ChangesLiveKeysInTheSameGeneration_G21) {
    start_two();
    config.plugins[0].config["greeting"] = "good day";
    config.plugins[0].limits.per_second = 3;
    EXPECT_THAT(plan(), ElementsAre("a: reconfigure config.greeting limits.per_second"));
    EXPECT_EQ(said("a"), "1.0.0 hi 1") << "a plan changes nothing";
    EXPECT_THAT(apply(), ElementsAre("a: reconfigure config.greeting limits.per_second"));
    EXPECT_EQ(said("a"), "1.0.0 good day 2");
    EXPECT_EQ(generation("a"), 1);
    config.plugins[0].config["rules[]"] = "1";
    config.plugins[0].config["rules[0].word"] = "x";
    EXPECT_THAT(apply(), ElementsAre("a: reconfigure config.rules[0].word config.rules[]"))
        << "what stands in a live list is live";
    EXPECT_THAT(plan(), ElementsAre()) << "the new values are what counts now";
}

TEST_F(Apply, MakesANewGenerationWhereThePluginWantsOne) {
    start_two();
    said("a");
    config.plugins[0].config["greeting"] = "anew";
    EXPECT_THAT(plan(), ElementsAre("a: reconfigure config.greeting"));
    EXPECT_THAT(apply(), ElementsAre("a: replace config.greeting"));
    EXPECT_EQ(said("a"), "1.0.0 anew 2") << "its count was handed over";
    EXPECT_EQ(generation("a"), 2);
}

TEST_F(Apply, StartsAndStopsAndKeepsTheOrderOfTheFile_G21) {
    start_two();
    config.plugins.erase(config.plugins.begin());
    add("c", "changing");
    config.plugins[0].config["fault"] = "none";
    EXPECT_THAT(plan(), ElementsAre("b: replace config.fault", "c: start", "a: stop"));
    std::string seen;
    host->apply(config.plugins, [&](const std::vector<InstanceStep>& steps) {
        for (const auto& line : lines(steps)) seen += line + "; ";
        EXPECT_EQ(host->lease("a"), nullptr);
        EXPECT_NE(host->lease("c"), nullptr) << "told when the new ones serve";
    });
    EXPECT_EQ(seen, "b: replace config.fault; c: start; a: stop; ");
    std::string order;
    for (const InstanceInfo& info : host->list()) order += info.instance;
    EXPECT_EQ(order, "bc");
    EXPECT_EQ(host->find("a"), std::nullopt);
    EXPECT_EQ(said("c"), "1.0.0 hello 1");
}

TEST_F(Apply, LeavesAllAsItWasWhenOneOfThemCannotRun_G21_F46) {
    start_two();
    const auto before = config.plugins;
    add("new", "changing", {{"fault", "create"}});
    config.plugins[0].config["greeting"] = "good day";
    config.plugins[1].config["fault"] = "none";
    EXPECT_EQ(refusal(), "new: no port is free");
    EXPECT_EQ(said("a"), "1.0.0 hi 1");
    EXPECT_EQ(generation("a"), 1);
    EXPECT_EQ(host->list().size(), 2u);
    EXPECT_EQ(lines(host->plan(before)).size(), 0u) << "the old configuration is what runs";

    config.plugins[2].config["fault"] = "health";
    EXPECT_EQ(refusal(), "new: the plugin says that it is down: the line is dead");
    config.plugins[2].config["fault"] = "";
    config.plugins[2].plugin = "absent";
    EXPECT_EQ(refusal(), "new: there is no absent.so in the plugin folders");
    EXPECT_EQ(said("b"), "1.0.0 hello 1");
}

TEST_F(Apply, TakesLiveValuesBackWhenALaterOneFails_G21) {
    start_two();
    config.plugins[0].config["greeting"] = "good day";
    config.plugins[1].config["greeting"] = "throw";
    EXPECT_EQ(refusal(), "b: reconfigure went wrong");
    EXPECT_EQ(said("a"), "1.0.0 hi 1");
    EXPECT_EQ(error_of("b"), "reconfigure went wrong");
    config.plugins[1].config["greeting"] = "refused";
    EXPECT_THAT(refusal(), HasSubstr("must not be \"refused\""));
    EXPECT_EQ(said("a"), "1.0.0 hi 2");
    EXPECT_EQ(generation("a"), 1);
}

TEST_F(Apply, PutsAnExclusiveOneBackWhenAnotherFails_G21) {
    start_two();
    add("lone", "lone");
    apply();
    config.plugins[2].config["broken"] = "true";
    EXPECT_EQ(refusal(), "lone: no port");
    EXPECT_EQ(said("lone"), "lone");
    EXPECT_EQ(state_of("lone"), InstanceState::active);
}

TEST_F(Apply, LeavesWhatPeopleSwitchedOffOffAndKeepsItsNewValues) {
    start_two();
    host->disable("a");
    config.plugins[0].config["greeting"] = "later";
    EXPECT_THAT(apply(), ElementsAre("a: reconfigure config.greeting"));
    EXPECT_EQ(state_of("a"), InstanceState::disabled);
    host->enable("a");
    EXPECT_EQ(said("a"), "1.0.0 later 1");
    config.plugins[0].enabled = false;
    EXPECT_THAT(apply(), ElementsAre("a: stop enabled"));
    EXPECT_EQ(host->lease("a"), nullptr);
    EXPECT_EQ(state_of("a"), InstanceState::disabled);
    EXPECT_TRUE(host->webhooks("a")) << "its webhooks are still taken";
    config.plugins[0].enabled = true;
    EXPECT_THAT(apply(), ElementsAre("a: start enabled"));
    EXPECT_TRUE(host->find("a")->enabled);
}

TEST_F(Apply, TellsTheRoutesOfANewInstanceThatIsOff) {
    start_two();
    add("c", "changing").enabled = false;
    EXPECT_THAT(apply(), ElementsAre("c: reconfigure"));
    EXPECT_EQ(state_of("c"), InstanceState::disabled);
    EXPECT_TRUE(host->webhooks("c"));
}

TEST_F(Apply, SeesThatAPluginsFileIsAnother) {
    start_two();
    install("two/changing");
    EXPECT_THAT(plan(), ElementsAre("a: replace file", "b: replace file"));
    apply();
    EXPECT_EQ(said("a"), "2.0.0 hi 1");
    std::filesystem::remove(plugin_file("changing"));
    EXPECT_THAT(plan(), ElementsAre()) << "one that has gone is no reason to stop";
}

TEST_F(Apply, TriesWhatFailedAgainOnlyWhenSomethingIsDifferent) {
    install("one/changing");
    add("a", "changing", {{"fault", "create"}});
    add("absent", "lone");
    start();
    EXPECT_EQ(state_of("a"), InstanceState::failed);
    EXPECT_EQ(state_of("absent"), InstanceState::failed);
    EXPECT_THAT(plan(), ElementsAre()) << "it would hold back all others";
    install("one/lone");
    EXPECT_THAT(plan(), ElementsAre("absent: start file"));
    config.plugins[0].config["fault"] = "";
    EXPECT_THAT(apply(), ElementsAre("a: start config.fault", "absent: start file"));
    EXPECT_EQ(state_of("a"), InstanceState::active);
    EXPECT_EQ(said("absent"), "lone");
}

TEST_F(Apply, GoesBackToTheFileBefore) {
    start_two();
    EXPECT_THROW(host->reload_back("a"), Error) << "there was none before";
    host->reload("a");
    EXPECT_THROW(host->reload_back("a"), Error) << "the same file again is no way back";
    install("two/changing");
    host->reload("a");
    EXPECT_EQ(said("a"), "2.0.0 hi 1");
    host->reload_back("a");
    EXPECT_EQ(said("a"), "1.0.0 hi 2");
    EXPECT_EQ(host->find("a")->version, "1.0.0");
    EXPECT_THAT(plan(), ElementsAre("b: replace file")) << "what was turned down stays so";
    host->reload("a");
    EXPECT_EQ(said("a"), "2.0.0 hi 3") << "until somebody asks for it";
}

TEST_F(Apply, KeepsTheFileBeforeUntilItsSuccessorWasHealthyForTenMinutes) {
    start_two();
    install("two/changing");
    host->reload("a");
    host->reload("b");
    const auto begin = std::chrono::steady_clock::time_point{} + std::chrono::hours{1};
    host->tend(begin);
    host->tend(begin + std::chrono::minutes{9});
    host->reload_back("b");
    host->tend(begin + std::chrono::minutes{10});
    EXPECT_THROW(host->reload_back("a"), Error);
    host->reload_back("b");
    EXPECT_EQ(said("b"), "2.0.0 hello 1") << "one that came back begins its time anew";
}

TEST_F(Apply, RefusesASuccessorThatCannotTakeOver) {
    start_two();
    config.plugins[0].config["fault"] = "import";
    EXPECT_EQ(refusal(), "a: import went wrong");
    EXPECT_EQ(said("a"), "1.0.0 hi 1");
    config.plugins[0].config["fault"] = "export";
    apply();
    config.plugins[0].config["fault"] = "";
    apply();
    EXPECT_EQ(said("a"), "1.0.0 hi 1") << "one that cannot hand over is replaced all the same";
}

TEST_F(Apply, RefusesMoreThanEightOldCopies) {
    install("one/changing");
    add("a", "changing").limits.drain_timeout = milliseconds{1};
    start();
    std::vector<PluginLeasePtr> held;
    for (int i = 0; i < 8; ++i) {
        held.push_back(host->lease("a"));
        host->reload("a");
    }
    EXPECT_EQ(host->find("a")->lingering(), "8 old copies with a call that did not end (stuck)");
    config.plugins[0].config["fault"] = "none";
    EXPECT_EQ(refusal(),
              "a: too many old copies are still loaded (8 old copies with a call that did not end "
              "(stuck)): restart the server or use isolation: process");
    config.plugins[0].config = {{"greeting", "still"}};
    EXPECT_EQ(refusal(), "applied") << "a live key adds no copy";
    EXPECT_EQ(said("a"), "1.0.0 still 1");
}

TEST_F(Apply, RefusesToReloadWhatIsDisabled) {
    start_two();
    host->disable("a");
    EXPECT_THROW(host->reload("a"), Error);
    EXPECT_EQ(state_of("a"), InstanceState::disabled);
}

}  // namespace
}  // namespace patchbay
