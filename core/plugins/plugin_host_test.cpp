#include "plugins/plugin_host.hpp"

#include <cstddef>
#include <cstring>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "plugins/test_plugins.hpp"

namespace patchbay {
namespace {

using PluginHosts = PluginTest;

ErrorKind kind_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.kind;
    }
    return ErrorKind::none;
}

TEST_F(PluginHosts, LoadAnInstanceAndCarryItsCalls) {
    install("hello");
    add("greeter", "hello", {{"greeting", "Good day"}});
    start();
    EXPECT_EQ(state_of("greeter"), InstanceState::active);
    const auto lease = host->lease("greeter");
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->capabilities().max_text_chars, 160u);
    EXPECT_EQ(lease->routes().at(0).name, "message");
    EXPECT_EQ(lease->send({}, {.id = "7", .text = "Ann"}).provider_id, "hello-7");
    EXPECT_EQ(recording.lines(), std::vector<std::string>{"greeter: Good day Ann"});
    const auto events = lease->receive({}, {.body = "hi", .peer = "192.0.2.1", .id = "r1"});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].text, "hi");
    EXPECT_EQ(events[0].dedupe_key, "message:r1");
    EXPECT_EQ(kind_of([&] { lease->run({}, {}); }), ErrorKind::unsupported);
}

TEST_F(PluginHosts, TellWhatIsLoaded) {
    install("hello");
    add("greeter", "hello");
    start();
    const InstanceInfo info = *host->find("greeter");
    EXPECT_EQ(info.plugin, "hello");
    EXPECT_EQ(info.version, "1.0.0");
    EXPECT_EQ(info.sdk, "0.1.0");
    EXPECT_EQ(info.generation, 1);
    EXPECT_EQ(info.file, "hello.so");
    EXPECT_EQ(info.provides, (std::vector<std::string>{"channel/1", "webhook/1"}));
    EXPECT_EQ(info.leases, 0);
    const auto lease = host->lease("greeter");
    EXPECT_EQ(host->find("greeter")->leases, 1);
    EXPECT_EQ(host->lease("nobody"), nullptr);
    EXPECT_EQ(host->find("nobody"), std::nullopt);
}

TEST_F(PluginHosts, RefuseInProductionWhatSaysThatItIsForDevelopment) {
    install("three/faulty");
    add("toy", "faulty", {{"token", "t0ken"}});
    start();
    EXPECT_EQ(state_of("toy"), InstanceState::active);
    config.mode = "production";
    start();
    EXPECT_EQ(state_of("toy"), InstanceState::failed);
    EXPECT_EQ(error_of("toy"), "faulty is for mode development only");
    EXPECT_EQ(host->lease("toy"), nullptr);
}

TEST_F(PluginHosts, KnowWhatAFailedInstanceWouldHaveBeen) {
    install("one/faulty");
    add("broken", "faulty", {{"token", "t0ken"}, {"mode", "throws in create"}});
    start();
    EXPECT_EQ(state_of("broken"), InstanceState::failed);
    const InstanceInfo info = *host->find("broken");
    EXPECT_EQ(std::count(info.provides.begin(), info.provides.end(), "channel/1"), 1);
}

TEST_F(PluginHosts, KeepTwoInstancesOfOneLibraryApart) {
    install("hello");
    add("one", "hello", {{"greeting", "One"}});
    add("two", "hello", {{"greeting", "Two"}});
    start();
    send("one", "x");
    send("two", "x");
    EXPECT_EQ(recording.lines(), (std::vector<std::string>{"one: One x", "two: Two x"}));
}

TEST_F(PluginHosts, GoOnWithoutTheInstancesThatFail_F44) {
    install("hello");
    install("one/faulty");
    add("good", "hello");
    add("absent", "nothing");
    add("throwing", "faulty", {{"token", "secret-token"}, {"mode", "throws in create"}});
    add("odd", "faulty", {{"token", "secret-token"}, {"mode", "throws a number in create"}});
    add("down", "faulty", {{"token", "secret-token"}, {"mode", "is down"}});
    start();
    EXPECT_EQ(state_of("good"), InstanceState::active);
    const std::pair<const char*, const char*> reasons[] = {
        {"absent", "there is no nothing.so in the plugin folders"},
        {"throwing", "create went wrong"},
        {"odd", "an exception that is not a std::exception"},
        {"down", "the plugin says that it is down: not today"}};
    for (const auto& [instance, reason] : reasons) {
        EXPECT_EQ(state_of(instance), InstanceState::failed) << instance;
        EXPECT_EQ(error_of(instance), reason);
        EXPECT_EQ(host->lease(instance), nullptr);
    }
}

TEST_F(PluginHosts, RefuseBrokenAndForeignFilesAndServeTheRest_F44) {
    install("hello");
    const std::string file = read_whole(plugin_file("hello"));
    const size_t stamp = file.find(PB_STAMP_MAGIC);
    write_whole(plugin_file("cut"), file.substr(0, file.size() / 2));
    write_whole(plugin_file("text"), "#!/bin/sh\n");
    write_whole(plugin_file("renamed"), file);
    std::string newer = file;
    newer[stamp + offsetof(pb_stamp, abi_major)] = 9;
    write_whole(plugin_file("newer"), newer);
    // The entry is there under another name only.
    std::string without = file;
    for (size_t at = 0; (at = without.find("patchbay_plugin_v1", at)) != std::string::npos;)
        without[at + 17] = '9';
    std::memcpy(without.data() + stamp + offsetof(pb_stamp, name), "noent", 6);
    write_whole(plugin_file("noent"), without);

    for (const char* name : {"hello", "cut", "text", "renamed", "newer", "noent"}) add(name, name);
    start();
    EXPECT_EQ(state_of("hello"), InstanceState::active);
    EXPECT_EQ(error_of("cut"), "the file is cut short");
    EXPECT_EQ(error_of("text"), "the file is not a library (no ELF header)");
    EXPECT_EQ(error_of("renamed"), "the file says that it is \"hello\", not \"renamed\"");
    EXPECT_EQ(error_of("newer"),
              "the plugin was built for plugin interface 9, this hub has 1: build it again with "
              "this hub's SDK");
    EXPECT_NE(error_of("noent"), "");
    EXPECT_EQ(send("hello", "x").outcome, Outcome::accepted);
}

TEST_F(PluginHosts, RefuseAPluginWhoseNeedsTheyCannotMeet) {  // C7
    install("one/lone");
    add("lone", "lone");
    HostServices nothing;
    PluginHost poor(config, nothing, folder / "staging");
    poor.start();
    EXPECT_EQ(poor.find("lone")->last_error, "the plugin needs kv/1, which this hub does not have");
}

TEST_F(PluginHosts, ReportEveryMistakeOfAConfigurationAtItsPlace) {
    install("one/faulty");
    auto& instance = add("sms", "faulty", {{"mode", "refused"}, {"tokn", "x"}, {"size", "11"}});
    instance.positions = {
        {"", {24, 5}}, {"mode", {25, 12}}, {"tokn", {26, 13}}, {"size", {27, 13}}};
    instance.key_positions = {
        {"", {24, 5}}, {"mode", {25, 7}}, {"tokn", {26, 7}}, {"size", {27, 7}}};
    start();
    const std::string at = config.file.string();
    EXPECT_EQ(
        error_of("sms"),
        at + ":24:5: plugins.sms.config: \"token\" is missing\n" + at +
            ":26:7: plugins.sms.config.tokn: unknown key, did you mean \"token\"?\n" + at +
            ":27:13: plugins.sms.config.size: expected a number from 1 to 10, found \"11\"\n" + at +
            ":25:12: plugins.sms.config.mode: must not be \"refused\"");
    EXPECT_EQ(host->check(instance).size(), 4u);
    EXPECT_EQ(host->schema("faulty").keys.size(), 8u);
}

TEST_F(PluginHosts, TurnWhatAPluginThrowsIntoErrors_F40_G16) {
    install("one/faulty");
    add("sms", "faulty", {{"token", "secret-token"}});
    start();
    EXPECT_EQ(kind_of([&] { send("sms", "std exception"); }), ErrorKind::internal);
    EXPECT_EQ(kind_of([&] { send("sms", "number"); }), ErrorKind::internal);
    EXPECT_EQ(kind_of([&] { send("sms", "unauthorized"); }), ErrorKind::unauthorized);
    EXPECT_EQ(kind_of([&] { send("sms", "http"); }), ErrorKind::unsupported);
    try {
        send("sms", "connection");
        FAIL() << "nothing was thrown";
    } catch (const ConnectionFailed& error) {
        EXPECT_TRUE(error.request_left);
    }
    try {
        host->lease("sms")->run({}, {});
        FAIL() << "nothing was thrown";
    } catch (const RequestError& error) {
        EXPECT_EQ(error.http_status(), 422);
    }
    EXPECT_EQ(send("sms", "fine").outcome, Outcome::accepted) << "it serves on";
}

TEST_F(PluginHosts, SurviveAPluginThatThrowsThroughTheBoundary_F40_G16) {
    install("one/rough");
    add("rough", "rough");
    start();
    EXPECT_EQ(state_of("rough"), InstanceState::active);
    EXPECT_EQ(kind_of([&] { host->lease("rough")->send({}, {}); }), ErrorKind::internal);
    host->disable("rough");  // It throws in destroy, too.
    EXPECT_EQ(state_of("rough"), InstanceState::disabled);
    EXPECT_EQ(host->find("rough")->resident, 0);
}

TEST_F(PluginHosts, UnloadAPluginThatThrowsWhileItDrains_F40_G16) {
    install("one/faulty");
    add("one", "faulty", {{"token", "secret-token"}, {"mode", "throws in drain"}});
    add("two", "faulty", {{"token", "secret-token"}, {"mode", "throws a number in drain"}});
    start();
    host->stop();
    EXPECT_EQ(state_of("one"), InstanceState::gone);
    EXPECT_EQ(state_of("two"), InstanceState::gone);
}

TEST_F(PluginHosts, RefuseAnswersThatBreakTheContractAndCountThem_F43_G16) {  // C10
    install("one/faulty");
    install("one/rough");
    add("sms", "faulty", {{"token", "secret-token"}});
    add("rough", "rough");
    start();
    EXPECT_EQ(kind_of([&] { host->lease("rough")->look_up({}, {}); }), ErrorKind::internal)
        << "two GiB";
    EXPECT_NE(metrics_text().find("patchbay_plugin_calls_total{instance=\"rough\","
                                  "call=\"look_up\",error=\"internal\"} 1"),
              std::string::npos);
    EXPECT_EQ(kind_of([&] { send("sms", "not utf-8"); }), ErrorKind::internal);
    EXPECT_EQ(kind_of([&] { send("sms", "nul"); }), ErrorKind::internal);
    EXPECT_EQ(kind_of([&] { send("sms", "huge"); }), ErrorKind::internal);
    const auto lease = host->lease("sms");
    EXPECT_EQ(kind_of([&] { lease->receive({}, {.body = "many"}); }), ErrorKind::internal);
    EXPECT_EQ(kind_of([&] { lease->receive({}, {.body = "no key"}); }), ErrorKind::internal);
    EXPECT_EQ(kind_of([&] { lease->receive({}, {.body = "refused"}); }), ErrorKind::request);
}

TEST_F(PluginHosts, CarryOptionalAnswers) {
    install("one/faulty");
    add("sms", "faulty", {{"token", "secret-token"}});
    start();
    const auto lease = host->lease("sms");
    EXPECT_EQ(lease->look_up({}, {.text = "there"})->provider_id, "found");
    EXPECT_EQ(lease->look_up({}, {.text = "elsewhere"}), std::nullopt);
}

TEST_F(PluginHosts, AnswerStoppingOnceDestroyHasBegun) {  // C8
    install("one/faulty");
    add("sms", "faulty", {{"token", "secret-token"}, {"mode", "calls after destroy"}});
    start();
    EXPECT_EQ(recording.value("alive"), "yes");
    host->stop();
    EXPECT_EQ(state_of("sms"), InstanceState::gone);
    EXPECT_EQ(recording.value("alive"), "yes") << "the call of the destructor did not arrive";
}

TEST_F(PluginHosts, HideTheSecretsOfAConfiguration) {  // S82
    install("one/faulty");
    add("sms", "faulty", {{"token", "hush-hush-4711"}, {"mode", "logs its secret"}});
    start();
    EXPECT_EQ(host->lease("sms")->secret("token"), "hush-hush-4711");
    EXPECT_EQ(host->lease("sms")->secret("mode"), "") << "not a secret";
    EXPECT_EQ(redact(recording.lines().at(0)), "sms: token is ***");
}

TEST_F(PluginHosts, StartNoInstanceWhoseWebhooksCannotBeChecked_S45) {
    install("one/faulty");
    add("open", "faulty", {{"token", "weak"}});
    add("closed", "faulty", {{"token", "strong"}});
    host.emplace(config, recording.services, folder / "staging");
    host->check_webhooks_with([](const InstanceConfig&, const WebhookFace& face) {
        return face.secret("token") == "weak" ? "its secret is weak" : "";
    });
    host->start();
    EXPECT_EQ(state_of("open"), InstanceState::failed);
    EXPECT_EQ(error_of("open"), "its secret is weak");
    EXPECT_EQ(host->lease("open"), nullptr);
    EXPECT_FALSE(host->webhooks("open"));
    EXPECT_EQ(state_of("closed"), InstanceState::active);
}

TEST_F(PluginHosts, KeepTheWebhooksOfADisabledInstance) {
    install("one/faulty");
    auto& instance = add("sms", "faulty", {{"token", "secret-token"}});
    instance.enabled = false;
    start();
    EXPECT_EQ(state_of("sms"), InstanceState::disabled);
    EXPECT_EQ(host->lease("sms"), nullptr);
    const auto face = host->webhooks("sms");
    ASSERT_TRUE(face);
    EXPECT_EQ(face->routes.at(0).secret, "token");
    EXPECT_EQ(face->secrets.at("token"), "secret-token");

    host->enable("sms");
    EXPECT_EQ(state_of("sms"), InstanceState::active);
    EXPECT_EQ(send("sms", "fine").outcome, Outcome::accepted);
    host->disable("sms");
    EXPECT_EQ(host->lease("sms"), nullptr);
    EXPECT_TRUE(host->webhooks("sms"));
}

}  // namespace
}  // namespace patchbay
