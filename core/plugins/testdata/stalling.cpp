// A plugin whose calls hang until a file is there, and one that takes its process with it.
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <patchbay/sdk.hpp>
#include <thread>

namespace patchbay::stalling {
namespace {

struct Config {
    std::string gate, mode;
};

// Like a lock that nobody gives back: a test gives it back with a file.
void wait_for(const std::string& gate) {
#ifdef STALLING_MENDED
    static_cast<void>(gate);
#else
    struct stat status {};
    while (::stat(gate.c_str(), &status) != 0)
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
#endif
}

// Each frame has to be there, or the compiler makes a loop of it.
int overflow(volatile char* before, int depth) {
    volatile char frame[4096];
    frame[0] = before ? before[0] : 0;
    return depth < 0 ? 0 : overflow(frame, depth + 1) + frame[0];
}

void do_what_it_says(const Config& config, const std::string& text) {
    if (text.starts_with("hang")) wait_for(config.gate);
#ifndef STALLING_MENDED
    if (text.starts_with("segfault")) {
        volatile int* const nowhere = nullptr;
        *nowhere = 1;
    }
    if (text.starts_with("abort")) std::abort();
    if (text.starts_with("overflow")) overflow(nullptr, 0);
    if (text.starts_with("killed")) ::raise(SIGKILL);
    if (text.starts_with("throw")) throw std::out_of_range("it went wrong");
#endif
}

Config read_config(ConfigReader& yaml) {
    Config config{.gate = yaml.required_text("gate", "The file that lets calls go on"),
                  .mode = yaml.optional_text("mode", "", "Which call of its life hangs")};
    if (config.mode == "check_config") wait_for(config.gate);
    return config;
}

class Stalling final : public Plugin,
                       public Channel,
                       public WebhookHandler,
                       public FlowSteps,
                       public HttpApi {
public:
    Stalling(Config config, Host host) : config_(std::move(config)), host_(host) {
        if (config_.mode == "create") wait_for(config_.gate);
    }
    ~Stalling() override {
        if (config_.mode == "destroy") wait_for(config_.gate);
    }
    void drain(milliseconds) override {
        if (config_.mode == "drain") wait_for(config_.gate);
    }

    Capabilities capabilities() const override {
        if (config_.mode == "capabilities") wait_for(config_.gate);
        return {.honours_id = config_.mode == "honours_id",
                .look_up = config_.mode == "look_up",
                .list_since = config_.mode == "list_since"};
    }
    SendResult send(const Call&, const OutboundMessage& message) override {
        do_what_it_says(config_, message.text);
        // Refused where the host has given the call up meanwhile.
        if (message.text.ends_with("stores")) host_.store("after", "yes");
        return SendResult::accepted("P-" + message.id);
    }
    std::optional<SendResult> look_up(const Call&, const OutboundMessage&) override {
        wait_for(config_.gate);
        return std::nullopt;
    }
    std::vector<Event> list_since(const Call&, int64_t) override {
        wait_for(config_.gate);
        return {};
    }
    std::vector<Route> routes() const override {
        return {
            {.name = "in", .signature = Signature::none},
            {.name = "custom", .signature = Signature::custom},
            {.name = "computed", .signature = Signature::none, .answering = Answering::computed}};
    }
    bool is_authentic(const Call&, const Request& request) const override {
        do_what_it_says(config_, request.body);
        return true;
    }
    Response respond(const Call&, const Request& request) override {
        do_what_it_says(config_, request.body);
        return {.body = "computed"};
    }
    std::vector<Event> receive(const Call&, const Request& request) override {
        if (request.route == "in") do_what_it_says(config_, request.body);
        return {{.topic = "message.received",
                 .dedupe_key = request.body,
                 .text = request.body,
                 .from = Address::phone("+15558675310"),
                 .to = Address::phone("+15552000000")}};
    }
    std::vector<StepInfo> steps() const override { return {{.name = "step", .about = "A step"}}; }
    StepResult run(const Call&, const StepInput& input) override {
        const std::string& text = input.event.text;
        if (text.starts_with("flow ")) do_what_it_says(config_, text.substr(5));
        return {};
    }
    std::vector<ApiRoute> api_routes() const override {
        return {{.name = "slow",
                 .method = "GET",
                 .path = "/stalling/{text}",
                 .about = "Does what its path says",
                 .deadline = milliseconds{500},
                 .callers = {"public"}}};
    }
    Response answer(const Call&, const Request& request) override {
        do_what_it_says(config_, request.params.at("text"));
        return {.body = "{}", .headers = {{"content-type", "application/json"}}};
    }

private:
    Config config_;
    Host host_;
};

}  // namespace
PATCHBAY_PLUGIN(stalling, "1.0.0", Stalling, read_config)
}  // namespace patchbay::stalling
