#include "flows/dry_run.hpp"

#include "flows/flow_place.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto longest = 10s;
// Of the numbers that are nobody's (555-01xx).
constexpr const char* guest = "+12025550100";
constexpr const char* own = "+12025550101";

StepInput input_for(const FlowPlace& place, const std::string& text, const std::string& stay,
                    size_t number, TimeMs now) {
    StepInput input;
    input.state = place.data;
    input.event.topic = "message.received";
    input.event.dedupe_key = "dry-run:" + std::to_string(number);
    input.event.kind = "text";
    input.event.text = text;
    input.event.from = Address::phone(guest);
    input.event.to = Address::phone(own);
    input.event.at_ms = now;
    if (!stay.empty()) input.event.extra["stay"] = stay;
    input.conversation = "dry-run";
    input.contact = "dry-run";
    input.now_ms = now;
    return input;
}

}  // namespace

DryRun dry_run(PluginLease& flow, const std::vector<std::string>& messages, const std::string& stay,
               TimeMs now) {
    const auto until = Steady::now() + longest;
    DryRun run;
    FlowPlace place;
    for (const std::string& text : messages) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Steady::now());
        if (left <= 0ms) throw Error(ErrorKind::unavailable, "the steps took longer than 10 s");
        StepInput input = input_for(place, text, stay, run.steps.size(), now);
        input.step = step_to_run(flow, place);
        const Call call{.left = std::min<std::chrono::milliseconds>(left, flow_step_deadline)};
        run.steps.push_back({input.step, flow.run(call, input)});
        const StepResult& result = run.steps.back().result;
        place = ends_flow(result) ? FlowPlace{} : place_after(place, result);
    }
    run.state = place.data.empty() ? "{}" : place.data;
    return run;
}

}  // namespace patchbay
