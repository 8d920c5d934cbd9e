#include "flows/dry_run.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

/// Asks for a name, then greets, then is over. Only the flow's part of a lease is asked for.
class Greeter final : public PluginLease {
public:
    const std::string& instance() const override { return name_; }
    bool provides(std::string_view) const override { return true; }
    Capabilities capabilities() override { return {}; }
    std::vector<Route> routes() override { return {}; }
    bool is_authentic(const Call&, const Request&) override { return false; }
    std::vector<Event> receive(const Call&, const Request&) override { return {}; }
    Response respond(const Call&, const Request&) override { return {}; }
    SendResult send(const Call&, const OutboundMessage&) override {
        ADD_FAILURE() << "a dry run sends nothing";
        return {};
    }
    std::optional<SendResult> look_up(const Call&, const OutboundMessage&) override { return {}; }
    std::vector<Event> list_since(const Call&, int64_t) override { return {}; }
    std::vector<StepInfo> steps() override { return {{.name = "ask"}, {.name = "greet"}}; }
    StepResult run(const Call& call, const StepInput& input) override {
        EXPECT_LE(call.left, std::chrono::seconds{2});
        seen_.push_back(input);
        if (input.step == "ask") return {.next = "greet", .state = R"({"asked":1})"};
        return {.actions = {{.kind = "send",
                             .message = OutboundMessage{.text = "Hello " + input.event.text}}}};
    }
    std::vector<ApiRoute> api_routes() override { return {}; }
    Response answer(const Call&, const Request&) override { return {}; }
    Health health(const Call&) override { return {}; }
    std::string secret(std::string_view) override { return {}; }

    std::vector<StepInput> seen_;

private:
    std::string name_ = "greeter";
};

TEST(DryRunOfAFlow, GoesFromStepToStepAsARealConversationDoes) {
    Greeter flow;
    const DryRun run = dry_run(flow, {"hi", "Ann", "hi again"}, "active", 1000);
    ASSERT_EQ(run.steps.size(), 3u);
    EXPECT_EQ(run.steps[0].step, "ask");
    EXPECT_TRUE(run.steps[0].result.actions.empty());
    EXPECT_EQ(run.steps[1].step, "greet");
    EXPECT_EQ(run.steps[1].result.actions.at(0).message->text, "Hello Ann");
    EXPECT_EQ(run.steps[2].step, "ask") << "it was over, and begins anew";
    EXPECT_EQ(flow.seen_[1].state, R"({"asked":1})");
    EXPECT_EQ(flow.seen_[2].state, "");
    EXPECT_EQ(flow.seen_[0].event.extra.at("stay"), "active");
    EXPECT_EQ(run.state, R"({"asked":1})");
}

TEST(DryRunOfAFlow, OfNoMessagesKeepsNothing) {
    Greeter flow;
    EXPECT_EQ(dry_run(flow, {}, "", 0).state, "{}");
    EXPECT_TRUE(flow.seen_.empty());
}

}  // namespace
}  // namespace patchbay
