// Tells NewPlugin what happens in the hub.
//
//   in    events of the hub: message.*, or the topics of the configuration
//   out   POST {url}   one form for each

#include <patchbay/sdk.hpp>

namespace patchbay::new_plugin {
namespace {

struct Config {
    std::string url;
    Secret token;
    std::vector<std::string> topics;
};

// Runs twice: once to record the keys for checks, editors and documentation, once to read them.
Config read_config(ConfigReader& yaml) {
    Config config{
        .url = yaml.required_text("url", "Where events are posted"),
        .token = yaml.required_secret("token", "Goes with every call"),
        .topics = yaml.optional_list("topics", "What to tell; none given: message.*"),
    };
    yaml.expect("url", config.url.starts_with("https://") || config.url.starts_with("http://"),
                "must begin with https:// or http://");
    if (config.topics.empty()) config.topics = {"message.*"};
    return config;
}

class NewPlugin final : public Plugin, public EventHandler {
public:
    NewPlugin(Config config, Host host) : config_(std::move(config)), host_(host) {}

    std::vector<std::string> topics() const override { return config_.topics; }
    void handle(const Call& call, const Event& event) override;

private:
    const Config config_;
    const Host host_;
};

// At least once: the receiver knows a repeat by its key. What is thrown here, the hub tries again.
void NewPlugin::handle(const Call& call, const Event& event) {
    Form form{{"topic", event.topic}, {"key", event.dedupe_key}};
    form.add_unless_empty("from", event.from.value).add_unless_empty("text", event.text);
    const Response answer =
        host_.http(call, {.method = "POST",
                          .url = config_.url,
                          .body = form.encode(),
                          .headers = {{"authorization", "Bearer " + config_.token.reveal()},
                                      {"content-type", "application/x-www-form-urlencoded"}}});
    if (answer.ok()) return;
    const auto kind =
        answer.status == 429 || answer.status >= 500 ? ErrorKind::unavailable : ErrorKind::refused;
    throw Error(kind, "the receiver answered " + std::to_string(answer.status));
}

}  // namespace
PATCHBAY_PLUGIN(new_plugin, "0.1.0", NewPlugin, read_config, "http-client/1")
}  // namespace patchbay::new_plugin
