// Answers by rules: the first rule that fits a customer's message gives the reply.
//
//   in    message.received
//   out   one action `send`, or none

#include <patchbay/sdk.hpp>

#include "config.hpp"

namespace patchbay::auto_reply {
namespace {

class AutoReply final : public Plugin, public FlowSteps {
public:
    AutoReply(Config config, Host) : config_(std::move(config)) {}

    std::vector<StepInfo> steps() const override;
    StepResult run(const Call& call, const StepInput& input) override;

private:
    const Config config_;
};

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

    const Reply* reply = find_reply(config_.rules, config_.otherwise, event.text);
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
