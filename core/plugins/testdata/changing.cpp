// Takes live values, hands its count of sends over, and fails where its configuration says so.
#include <atomic>
#include <mutex>
#include <patchbay/sdk.hpp>
#include <stdexcept>

#ifndef CHANGING_VERSION
#define CHANGING_VERSION "1.0.0"
#endif

namespace patchbay::changing {
namespace {

struct Config {
    std::string greeting, fault;
    std::vector<std::string> words;
};

Config read_config(ConfigReader& yaml) {
    Config config{
        .greeting =
            yaml.optional_text("greeting", "hello", "Said in each answer", ConfigReader::live),
        .fault = yaml.optional_text("fault", "", "What goes wrong"),
        .words = yaml.sections(
            "rules", "Live as a whole",
            [](ConfigReader& rule) { return rule.required_text("word", "A word"); },
            ConfigReader::live),
    };
    yaml.expect("greeting", config.greeting != "refused", "must not be \"refused\"");
    return config;
}

class Changing final : public Plugin,
                       public Channel,
                       public WebhookHandler,
                       public HealthCheck,
                       public StateHandover {
public:
    Changing(Config config, Host host) : config_(std::move(config)), host_(host) {
        host_.info("created");
        if (config_.fault == "create") throw Error(ErrorKind::unavailable, "no port is free");
    }

    bool reconfigure(std::span<const std::string>, ConfigReader& yaml) override {
        const Config next = read_config(yaml);
        if (next.greeting == "anew") return false;
        if (next.greeting == "throw") throw std::runtime_error("reconfigure went wrong");
        const std::lock_guard lock(mutex_);
        config_.greeting = next.greeting;
        config_.words = next.words;
        return true;
    }

    Capabilities capabilities() const override { return {}; }
    SendResult send(const Call&, const OutboundMessage&) override {
        const std::lock_guard lock(mutex_);
        return SendResult::accepted(std::string(CHANGING_VERSION) + " " + config_.greeting + " " +
                                    std::to_string(++sends_));
    }
    std::vector<Route> routes() const override {
        return {{.name = "in", .signature = Signature::none}};
    }
    std::vector<Event> receive(const Call&, const Request&) override { return {}; }
    Health health(const Call&) override {
        return {.state = config_.fault == "health" ? Health::down : Health::up,
                .text = "the line is dead"};
    }

    std::string export_state() override {
        if (config_.fault == "export") throw std::runtime_error("export went wrong");
        const std::lock_guard lock(mutex_);
        return std::to_string(sends_);
    }
    void import_state(std::string_view from_version, std::string_view state) override {
        if (config_.fault == "import") throw std::runtime_error("import went wrong");
        host_.info("took over from " + std::string(from_version));
        sends_ = std::stoi(std::string(state));
    }

private:
    std::mutex mutex_{};
    Config config_;
    Host host_;
    int sends_ = 0;
};

}  // namespace
PATCHBAY_PLUGIN(changing, CHANGING_VERSION, Changing, read_config)
}  // namespace patchbay::changing
