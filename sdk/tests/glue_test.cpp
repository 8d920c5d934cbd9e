// A plugin compiled into the test and used through its one exported function, as the hub does.
#include <gtest/gtest.h>

#include <patchbay/sdk.hpp>

namespace patchbay::sample {
namespace {

struct Config {
    std::string greeting;
    Secret token;
};

Config read_config(ConfigReader& yaml) {
    Config config{.greeting = yaml.optional_text("greeting", "hello", "What to say"),
                  .token = yaml.required_secret("token", "Credential")};
    yaml.expect("greeting", config.greeting != "bye", "must not be bye");
    return config;
}

class Sample final : public Plugin, public Channel, public WebhookHandler, public StateHandover {
public:
    static constexpr uint32_t flags = exclusive;
    Sample(Config config, Host host) : config_(std::move(config)), host_(host) {
        if (config_.token.reveal() == "bad")
            throw Error(ErrorKind::unauthorized, "the provider refused the token");
    }
    Capabilities capabilities() const override { return {.max_text_chars = 160}; }
    SendResult send(const Call& call, const OutboundMessage& message) override;
    std::vector<Route> routes() const override {
        return {{.name = "message", .signature = Signature::none}};
    }
    std::vector<Event> receive(const Call&, const Request& request) override;
    std::string export_state() override { return std::string("\0state", 6); }
    void import_state(std::string_view from, std::string_view state) override {
        host_.info(std::string(from) + std::string(state.substr(1)));
    }
    bool reconfigure(std::span<const std::string> changed, ConfigReader& yaml) override {
        return changed.size() == 1 && read_config(yaml).greeting == "live";
    }

private:
    Config config_;
    Host host_;
};

SendResult Sample::send(const Call& call, const OutboundMessage& message) {
    if (message.text == "throw") throw std::runtime_error("went wrong");
    if (message.text == "odd") throw 7;
    if (message.text == "offline") throw ConnectionFailed(true, "connection lost");
    host_.info("sending", {{"id", message.id}});
    const Response reply =
        host_.http(call, {.method = "POST", .body = config_.greeting + " " + message.text});
    return SendResult::accepted(reply.body);
}

std::vector<Event> Sample::receive(const Call&, const Request& request) {
    const Form form = Form::parse(request.body);
    return {{.topic = "message.received",
             .dedupe_key = form.require("id"),
             .text = form.value_or("text", "")}};
}

}  // namespace
PATCHBAY_PLUGIN(sample, "1.2.3", Sample, read_config, "log/1", "http-client/1")
}  // namespace patchbay::sample

namespace patchbay {
namespace {

// Answers http with the body it was given, and keeps the log.
struct FakeHost {
    std::vector<std::string> lines;
    ErrorKind refuse_http = ErrorKind::none;
    pb_host table{sizeof(pb_host), PB_ABI_MINOR, this, &FakeHost::call};

    static int32_t call(void* self, uint32_t number, pb_bytes in, pb_sink out) {
        auto& host = *static_cast<FakeHost*>(self);
        return detail::guarded(out, [&] {
            if (number == method::log) {
                Level level{};
                std::string text;
                wire::unpack(detail::view(in), wire::Text::checked, level, text);
                host.lines.push_back(text);
            } else if (number == method::http) {
                if (host.refuse_http != ErrorKind::none) throw Error(host.refuse_http, "no");
                Call call;
                Request request;
                wire::unpack(detail::view(in), wire::Text::checked, call, request);
                detail::deliver(out, wire::pack(Response{.status = 201, .body = request.body}));
            } else {
                throw Error(ErrorKind::unsupported, "no such service");
            }
        });
    }
};

// A message channel as seen from the other side of the boundary.
class Glue : public testing::Test {
protected:
    void create(const Labels& config = {{"token", "t"}}) {
        detail::StringSink error;
        const std::string encoded = wire::pack(config);
        const int32_t status = patchbay_plugin_v1()->create(&host.table, detail::borrow(encoded),
                                                            &instance, error.sink());
        if (status != 0) detail::rethrow(status, error.text());
    }
    void TearDown() override {
        if (instance.destroy) instance.destroy(instance.self);
    }
    template <class Out, class... In>
    Out ask(uint32_t number, const In&... in) {
        detail::StringSink answer;
        const std::string message = wire::pack(in...);
        const int32_t status =
            instance.call(instance.self, number, detail::borrow(message), answer.sink());
        if (status != 0) detail::rethrow(status, answer.text());
        Out out{};
        wire::unpack(answer.text(), wire::Text::checked, out);
        return out;
    }
    template <class Failure>
    Failure failure_of_send(const std::string& text) {
        try {
            ask<SendResult>(method::send, Call{}, OutboundMessage{.text = text});
        } catch (const Failure& error) {
            return error;
        }
        throw std::logic_error("nothing was thrown");
    }

    FakeHost host;
    pb_instance instance{};
};

TEST_F(Glue, StampsWhatThePluginIs) {  // C1
    const pb_stamp& stamp = *patchbay_plugin_v1()->stamp;
    EXPECT_EQ(std::string_view(stamp.magic, 8), PB_STAMP_MAGIC);
    EXPECT_STREQ(stamp.name, "sample");
    EXPECT_STREQ(stamp.version, "1.2.3");
    EXPECT_STREQ(stamp.provides, "channel/1 webhook/1 handover/1");
    EXPECT_STREQ(stamp.needs, "log/1 http-client/1");
    EXPECT_EQ(stamp.flags, PB_FLAG_EXCLUSIVE);
    EXPECT_EQ(stamp.abi_major, PB_ABI_MAJOR);
}

TEST_F(Glue, CarriesCallsBothWays) {
    create({{"token", "t"}, {"greeting", "good day"}});
    const auto result =
        ask<SendResult>(method::send, Call{}, OutboundMessage{.id = "m1", .text = "Ann"});
    EXPECT_EQ(result.outcome, Outcome::accepted);
    EXPECT_EQ(result.provider_id, "good day Ann");
    EXPECT_EQ(host.lines, std::vector<std::string>{"sending"});
    EXPECT_EQ(ask<Capabilities>(method::capabilities).max_text_chars, 160u);
}

TEST_F(Glue, ReturnsEventsAndOptionalResults) {
    create();
    const auto events =
        ask<std::vector<Event>>(method::receive, Call{}, Request{.body = "id=7&text=hi"});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].text, "hi");
    EXPECT_EQ(ask<std::optional<SendResult>>(method::look_up, Call{}, OutboundMessage{}),
              std::nullopt);
}

TEST_F(Glue, TurnsExceptionsIntoErrorsOfTheirKind) {  // C3, F40
    create();
    EXPECT_EQ(failure_of_send<Error>("throw").kind, ErrorKind::internal);
    EXPECT_STREQ(failure_of_send<Error>("throw").what(), "went wrong");
    EXPECT_EQ(failure_of_send<Error>("odd").kind, ErrorKind::internal);
    EXPECT_TRUE(failure_of_send<ConnectionFailed>("offline").request_left);
    try {
        ask<std::vector<Event>>(method::receive, Call{}, Request{.body = "text=hi"});
        FAIL() << "not refused";
    } catch (const RequestError& error) {
        EXPECT_EQ(error.http_status(), 400);
    }
    host.refuse_http = ErrorKind::stopping;
    EXPECT_EQ(failure_of_send<Error>("Ann").kind, ErrorKind::stopping);
}

TEST_F(Glue, AnswersUnsupportedToUnknownCallsAndToThoseOfOtherInterfaces) {  // C5
    create();
    for (const uint32_t number : {0u, 9999u, uint32_t{method::run}, uint32_t{method::log}}) {
        try {
            ask<std::string>(number);
            FAIL() << number;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::unsupported) << number;
        }
    }
}

TEST_F(Glue, SurvivesGarbageAsArguments) {
    create();
    for (const method::Entry& entry : method::all) {
        detail::StringSink answer;
        instance.call(instance.self, entry.number, detail::borrow("\x0a\xff\xff"), answer.sink());
    }
    EXPECT_EQ(ask<Capabilities>(method::capabilities).max_text_chars, 160u);
}

TEST_F(Glue, RefusesAConfigurationWithEveryProblem) {
    try {
        create({{"greeting", "bye"}});
        FAIL() << "not refused";
    } catch (const detail::ConfigProblems& error) {
        EXPECT_EQ(error.problems,
                  (Labels{{"greeting", "must not be bye"}, {"token", "is missing"}}));
    }
    try {
        create({{"token", "bad"}});
        FAIL() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::unauthorized);
    }
}

TEST_F(Glue, ChecksAConfigurationWithoutAnInstance) {
    const std::string fine = wire::pack(Labels{{"token", "t"}}), empty = wire::pack(Labels{});
    detail::StringSink error;
    EXPECT_EQ(patchbay_plugin_v1()->check_config(detail::borrow(fine), error.sink()), 0);
    EXPECT_EQ(patchbay_plugin_v1()->check_config(detail::borrow(empty), error.sink()),
              static_cast<int32_t>(ErrorKind::config));
}

TEST_F(Glue, DescribesTheConfiguration) {
    detail::StringSink out;
    ASSERT_EQ(patchbay_plugin_v1()->describe(out.sink()), 0);
    detail::Schema schema;
    wire::unpack(out.text(), wire::Text::checked, schema);
    ASSERT_EQ(schema.keys.size(), 2u);
    EXPECT_EQ(schema.keys[0].fallback, "hello");
    EXPECT_TRUE(schema.keys[1].required);
}

TEST_F(Glue, HandsStateOverAndReconfigures) {
    create();
    EXPECT_EQ(ask<wire::Bytes>(method::export_state).data, std::string("\0state", 6));
    ask<std::string>(method::import_state, std::string("1.2.2 "), wire::Bytes{"_over"});
    EXPECT_EQ(host.lines.back(), "1.2.2 over");
    const std::vector<std::string> changed{"greeting"};
    EXPECT_TRUE(
        ask<bool>(method::reconfigure, changed, Labels{{"token", "t"}, {"greeting", "live"}}));
    EXPECT_FALSE(
        ask<bool>(method::reconfigure, changed, Labels{{"token", "t"}, {"greeting", "other"}}));
}

TEST_F(Glue, TellsWhatTheHostDoesNotHave) {  // C7
    const Host asking(&host.table);
    EXPECT_THROW(asking.find("key"), Error);
    EXPECT_NO_THROW(asking.count("sends")) << "a metric is no reason to fail";
}

}  // namespace
}  // namespace patchbay
