#include <gtest/gtest.h>

#include <patchbay/detail/methods.hpp>
#include <patchbay/testing.hpp>

#include "provider_double.hpp"
#include "test_services.hpp"

namespace patchbay {
namespace {

TEST(ChannelUnderTest, RunsAPluginAsTheHubDoes) {
    ChannelUnderTest channel("hello", {{"greeting", "Good day"}});
    EXPECT_EQ(channel.send({.id = "7", .text = "Ann"}).provider_id, "hello-7");
    ASSERT_EQ(channel.log().size(), 1u);
    EXPECT_EQ(channel.log()[0].text, "Good day Ann");
    EXPECT_EQ(channel.log()[0].fields.at("id"), "7");
    const auto events = channel.receive("message", "hi");
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].dedupe_key, "message:request-1");
    EXPECT_THROW(channel.receive("message", ""), RequestError);
}

TEST(ChannelUnderTest, SaysWhyAPluginDoesNotStart) {
    try {
        ChannelUnderTest channel("hello", {{"greting", "x"}});
        FAIL() << "it started";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("unknown key, did you mean \"greeting\"?"),
                  std::string::npos)
            << error.what();
    }
    EXPECT_THROW(ChannelUnderTest("nobody"), Error);
}

// A Host over the services, without a plugin between.
class Services : public testing::Test {
protected:
    static int32_t call(void* self, uint32_t number, pb_bytes in, pb_sink out) {
        return detail::guarded(out, [&] {
            detail::deliver(out, static_cast<HostServices*>(self)->call({"under_test", "x"}, number,
                                                                        detail::view(in)));
        });
    }
    Response ask(const std::string& url) {
        return host.http(
            {}, {.method = "POST", .url = url, .body = "a=1", .headers = {{"x-key", "v"}}});
    }

    ProviderDouble provider;
    TestServices services{provider};
    pb_host table{sizeof(pb_host), PB_ABI_MINOR, &services.services, call};
    Host host{&table};
};

TEST_F(Services, LetTheTestsProviderAnswerWhateverTheHost) {
    provider.answer_always({201, "always"});
    provider.answer_next({429, "first", {{"Retry-After", "7"}}});
    provider.answer_to("/media", {404});
    const Response first = ask("https://api.provider.example/v1/messages?x=1");
    EXPECT_EQ(first.status, 429);
    EXPECT_EQ(first.header("retry-after"), "7");
    EXPECT_EQ(ask("https://api.provider.example/v1").body, "always");
    EXPECT_EQ(ask("https://other.example/media/1").status, 404);

    const auto seen = provider.requests().at(0);
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.url, "https://api.provider.example/v1/messages?x=1");
    EXPECT_EQ(seen.target, "/v1/messages?x=1");
    EXPECT_EQ(seen.body, "a=1");
    EXPECT_EQ(seen.headers.at("x-key"), "v");
    EXPECT_EQ(seen.headers.at("host"), "api.provider.example");
}

TEST_F(Services, TellALostAnswerFromNoConnection) {
    provider.answer_always({.hangs_up = true});
    try {
        ask("https://api.provider.example/");
        FAIL() << "an answer came";
    } catch (const ConnectionFailed& error) {
        EXPECT_TRUE(error.request_left);
    }
    provider.go_away();
    try {
        ask("https://api.provider.example/");
        FAIL() << "an answer came";
    } catch (const ConnectionFailed& error) {
        EXPECT_FALSE(error.request_left);
    }
}

TEST_F(Services, KeepValuesWithVersionsAndLifetimes) {
    EXPECT_EQ(host.store("k", "one"), 1u);
    EXPECT_EQ(host.store("k", std::string("\0two", 4), {}, 1), 2u);
    EXPECT_EQ(host.find("k")->value, std::string("\0two", 4));
    EXPECT_THROW(host.store("k", "three", {}, 1), Error);
    EXPECT_THROW(host.store("k", "three", {}, 0), Error) << "0 means only if absent";
    host.store("short", "x", milliseconds{1000});
    EXPECT_EQ(host.keys(""), (std::vector<std::string>{"k", "short"}));
    services.clock.advance(milliseconds{1000});
    EXPECT_EQ(host.find("short"), std::nullopt);
    host.erase("k");
    EXPECT_EQ(host.keys(""), std::vector<std::string>{});
}

TEST_F(Services, FixTimeAndIds) {
    EXPECT_EQ(host.now_ms(), 1'800'000'000'000);
    EXPECT_EQ(host.new_id(), "id-1");
    EXPECT_EQ(host.new_id(), "id-2");
    EXPECT_EQ(host.public_url("status"), "https://hub.example/hooks/under_test/status");
}

TEST_F(Services, RememberWhatThePluginAskedFor) {
    host.count("sends", 2, {{"kind", "text"}});
    host.count("sends");
    host.publish({.topic = "inquiry.created"});
    host.every(milliseconds{1000}, "poll");
    host.post("import", "1");
    const auto seen = services.seen();
    EXPECT_EQ(seen.metrics.at("sends"), 3);
    EXPECT_EQ(seen.labels, (std::vector<std::string>{"sends", "kind=text", "sends"}));
    EXPECT_EQ(seen.published.at(0).topic, "inquiry.created");
    EXPECT_EQ(seen.timers, std::vector<std::string>{"poll"});
    EXPECT_EQ(seen.tasks, std::vector<std::string>{"import"});
}

TEST_F(Services, KeepMedia) {
    const Media media = host.store_media("image/png", std::string("\x89PNG", 4));
    EXPECT_EQ(media.bytes, 4u);
    EXPECT_EQ(host.read_media(media.id), std::string("\x89PNG", 4));
    provider.answer_always({200, "content", {{"Content-Type", "text/plain"}}});
    EXPECT_EQ(host.fetch_media({}, {.url = "https://provider.example/file"}).type, "text/plain");
}

TEST_F(Services, AnswerAsTheTestPlaysThem) {
    EXPECT_THROW(host.contact("c1"), Error);
    services.play(method::contact, [](std::string_view in) {
        std::string id;
        wire::unpack(in, wire::Text::checked, id);
        return wire::pack(
            std::optional<messaging::ContactInfo>(messaging::ContactInfo{.id = id, .name = "Ann"}));
    });
    EXPECT_EQ(host.contact("c1")->name, "Ann");
}

}  // namespace
}  // namespace patchbay
