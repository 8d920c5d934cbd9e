// Answers a message that has a certain word.
//
//   in    message.received
//   out   one action `send`, or none

#include <patchbay/sdk.hpp>

namespace patchbay::new_plugin {
namespace {

struct Config {
    std::string word, reply;
};

// Runs twice: once to record the keys for checks, editors and documentation, once to read them.
Config read_config(ConfigReader& yaml) {
    const Config config{
        .word = yaml.required_text("word", "What a message has to contain, in any case"),
        .reply = yaml.required_text("reply", "The answer"),
    };
    yaml.expect("word", !config.word.empty(), "must not be empty");
    return config;
}

class NewPlugin final : public Plugin, public FlowSteps {
public:
    NewPlugin(Config config, Host) : config_(std::move(config)) {}

    std::vector<StepInfo> steps() const override {
        return {{.name = "reply", .about = "Answers a message that has the word"}};
    }
    StepResult run(const Call& call, const StepInput& input) override;

private:
    const Config config_;
};

// Sends nothing itself: it says what to do, so that a conversation can be replayed.
StepResult NewPlugin::run(const Call&, const StepInput& input) {
    const Event& event = input.event;
    const bool fits = event.topic == "message.received" &&
                      ascii_lower(event.text).find(ascii_lower(config_.word)) != std::string::npos;
    if (!fits) return {};
    return {.actions = {{.kind = "send",
                         .message = OutboundMessage{.conversation = input.conversation,
                                                    .text = config_.reply,
                                                    .to = event.from,
                                                    .from = event.to}}}};
}

}  // namespace
PATCHBAY_PLUGIN(new_plugin, "0.1.0", NewPlugin, read_config)
}  // namespace patchbay::new_plugin
