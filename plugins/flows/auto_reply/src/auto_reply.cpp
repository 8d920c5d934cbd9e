// Answers by rules: the first rule that fits a customer's message gives the reply.
//
//   in    message.received
//   out   one action `send`, or none

#include <memory>
#include <mutex>
#include <patchbay/sdk.hpp>

#include "config.hpp"

namespace patchbay::auto_reply {
namespace {

class AutoReply final : public Plugin, public FlowSteps {
public:
    AutoReply(Config config, Host) : config_(std::make_shared<const Config>(std::move(config))) {}

    /// All keys are live: steps that run go on with the rules that they began with.
    bool reconfigure(std::span<const std::string> changed, ConfigReader& yaml) override;

    std::vector<StepInfo> steps() const override;
    StepResult run(const Call& call, const StepInput& input) override;

private:
    std::shared_ptr<const Config> config() const;

    mutable std::mutex mutex_;
    std::shared_ptr<const Config> config_;
};

bool AutoReply::reconfigure(std::span<const std::string>, ConfigReader& yaml) {
    auto next = std::make_shared<const Config>(read_config(yaml));
    const std::lock_guard lock(mutex_);
    config_.swap(next);
    return true;
}

std::shared_ptr<const Config> AutoReply::config() const {
    const std::lock_guard lock(mutex_);
    return config_;
}

std::vector<StepInfo> AutoReply::steps() const {
    return {{.name = "reply", .about = "Answers a message by the first rule that fits"}};
}

Action answer_to(const StepInput& input, std::string text) {
    return {
        .kind = "send",
        .message = OutboundMessage{.conversation = input.conversation,
                                   .text = std::move(text),
                                   .to = input.event.from,
                                   .from = input.event.to},
    };
}

StepResult AutoReply::run(const Call&, const StepInput& input) {
    const Event& event = input.event;
    if (event.topic != "message.received") return {};

    const auto config = this->config();
    const Reply* reply = find_reply(config->rules, config->otherwise, event.text);
    if (!reply) return {};
    std::string text = reply->fill(
        {{"text", event.text}, {"from", event.from.value}, {"name", event.contact_name}});
    // "{{name}}" alone, for somebody who gave none: an empty message is no answer.
    if (text.empty()) return {};
    return {.actions = {answer_to(input, std::move(text))}};
}

}  // namespace
PATCHBAY_PLUGIN(auto_reply, "1.0.0", AutoReply, read_config)
}  // namespace patchbay::auto_reply
