// A webhook handler that does as little as one can: what is left of a call is what the way costs.
#pragma once
#include <patchbay/form.hpp>
#include <patchbay/sdk.hpp>

namespace patchbay::echo {

struct Config {};

inline Config read_config(ConfigReader&) { return {}; }

class Echo final : public Plugin, public WebhookHandler {
public:
    Echo(const Config&, Host) {}

    std::vector<Route> routes() const override {
        return {{.name = "in", .signature = Signature::none}};
    }
    std::vector<Event> receive(const Call&, const Request& request) override {
        const Form form = Form::parse(request.body);
        return {{.topic = "message.received",
                 .dedupe_key = "message:" + form.require("MessageSid"),
                 .text = form.require("Body"),
                 .from = Address::phone(form.require("From"))}};
    }
};

}  // namespace patchbay::echo
