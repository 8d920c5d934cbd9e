// What NewPlugin reports, as events of the hub.
//
//   in    POST report   one form, with our key in X-Api-Key
// Source: put the address of the sender's documentation here.

#include <patchbay/sdk.hpp>

namespace patchbay::new_plugin {
namespace {

struct Config {
    Secret key;
    std::string topic;
};

// Runs twice: once to record the keys for checks, editors and documentation, once to read them.
Config read_config(ConfigReader& yaml) {
    return {
        .key = yaml.required_secret("key", "What the sender sends as X-Api-Key"),
        .topic = yaml.optional_text("topic", "report.received", "What the events are called"),
    };
}

class NewPlugin final : public Plugin, public WebhookHandler {
public:
    NewPlugin(Config config, Host) : config_(std::move(config)) {}

    std::vector<Route> routes() const override;  // Each names its signature; the hub checks it.
    std::vector<Event> receive(const Call& call, const Request& request) override;

private:
    const Config config_;
};

std::vector<Route> NewPlugin::routes() const {
    return {{.name = "report",
             .body = RouteBody::form,
             .signature = Signature::shared_header,
             .secret = "key",
             .header = "x-api-key",
             .about = "One thing that happened"}};
}

// Stores nothing, and makes the same events of the same request: it may be repeated.
std::vector<Event> NewPlugin::receive(const Call&, const Request& request) {
    const Form form = Form::parse(request.body);
    const std::string id = form.require("id");
    return {{
        .topic = config_.topic,
        .dedupe_key = "report:" + id,
        .provider_id = id,
        .text = form.value_or("text", ""),
    }};
}

}  // namespace
PATCHBAY_PLUGIN(new_plugin, "0.1.0", NewPlugin, read_config)
}  // namespace patchbay::new_plugin
