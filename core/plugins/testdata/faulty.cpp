// A plugin with every fault a configuration or a message can ask for.
#include <patchbay/sdk.hpp>
#include <stdexcept>
#include <thread>

#ifndef FAULTY_VERSION
#define FAULTY_VERSION "1.0.0"
#endif

namespace patchbay::faulty {
namespace {

struct Config {
    std::string mode;
    Secret token;
    milliseconds timeout;
    std::vector<std::string> rules;
};

Config read_config(ConfigReader& yaml) {
    ConfigReader nested = yaml.section("verify", "A section");
    nested.optional_choice("provider", "local", {"local", "twilio"}, "Who checks");
    yaml.optional_int("size", 1, 1, 10, "A number");
    Config config{.mode = yaml.optional_text("mode", "", "What goes wrong"),
                  .token = yaml.required_secret("token", "Credential"),
                  .timeout = yaml.optional_duration("timeout", milliseconds{1000}, "Longest wait"),
                  .rules = yaml.sections("rules", "Rules", [](ConfigReader& rule) {
                      return rule.required_text("contains", "Words");
                  })};
    yaml.expect("mode", config.mode != "refused", "must not be \"refused\"");
    if (config.mode == "throws in check_config") throw std::logic_error("check_config went wrong");
    return config;
}

class Faulty final : public Plugin,
                     public Channel,
                     public WebhookHandler,
                     public FlowSteps,
                     public HealthCheck {
public:
#ifdef FAULTY_FLAGS
    static constexpr uint32_t flags = FAULTY_FLAGS;
#endif
    Faulty(Config config, Host host) : config_(std::move(config)), host_(host) {
        if (config_.mode == "throws in create") throw std::runtime_error("create went wrong");
        if (config_.mode == "throws a number in create") throw 42;
        if (config_.mode == "logs its secret") host_.info("token is " + config_.token.reveal());
        if (config_.mode == "calls after destroy") host_.store("alive", "yes");
    }
    ~Faulty() override {
        if (config_.mode != "calls after destroy") return;
        try {
            host_.store("alive", "no");
        } catch (const Error&) {
        }
    }

    void drain(milliseconds) override {
        if (config_.mode == "throws in drain") throw std::runtime_error("drain went wrong");
        if (config_.mode == "throws a number in drain") throw 42;
    }
    Capabilities capabilities() const override { return {.look_up = true}; }
    SendResult send(const Call&, const OutboundMessage& message) override;
    std::optional<SendResult> look_up(const Call&, const OutboundMessage& message) override {
        if (message.text == "there") return SendResult::accepted("found");
        return std::nullopt;
    }
    std::vector<Route> routes() const override {
        return {{.name = "in", .signature = Signature::meta_sha256, .secret = "token"}};
    }
    std::vector<Event> receive(const Call&, const Request& request) override;
    std::vector<StepInfo> steps() const override { return {{.name = "step", .about = "A step"}}; }
    StepResult run(const Call&, const StepInput&) override {
        throw RequestError(422, "no such answer");
    }
    Health health(const Call&) override {
        return {.state = config_.mode == "is down" ? Health::down : Health::up,
                .text = "not today"};
    }

private:
    Config config_;
    Host host_;
};

SendResult Faulty::send(const Call& call, const OutboundMessage& message) {
    while (message.text == "hang") std::this_thread::sleep_for(std::chrono::hours{1});
    if (message.text == "twenty seconds") std::this_thread::sleep_for(std::chrono::seconds{20});
    if (message.text == "std exception") throw std::out_of_range("send went wrong");
    if (message.text == "number") throw 42;
    if (message.text == "unauthorized") throw Error(ErrorKind::unauthorized, "token revoked");
    if (message.text == "connection") throw ConnectionFailed(true, "cut");
    if (message.text == "not utf-8") return SendResult::accepted("\xC0\x80");
    if (message.text == "nul") return SendResult::accepted(std::string("a\0b", 3));
    if (message.text == "huge") return SendResult::accepted(std::string(5u << 20, 'x'));
    if (message.text == "http")
        return SendResult::accepted(host_.http(call, {.url = "http://provider"}).body);
    if (message.text == "kv") return SendResult::accepted(host_.find("key")->value);
    return SendResult::accepted(FAULTY_VERSION);
}

std::vector<Event> Faulty::receive(const Call&, const Request& request) {
    if (request.body == "many")
        return std::vector<Event>(1001, Event{.topic = "t", .dedupe_key = "k"});
    if (request.body == "no key") return {{.topic = "message.received"}};
    if (request.body == "refused") throw RequestError(400, "not a message");
    return {{.topic = "message.received", .dedupe_key = request.body, .text = request.body}};
}

}  // namespace
PATCHBAY_PLUGIN(faulty, FAULTY_VERSION, Faulty, read_config)
}  // namespace patchbay::faulty
