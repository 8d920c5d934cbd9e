// Plays Twilio on a loopback port, so that the hub can be tried and tested without an account.
//
//   in    POST, GET /2010-04-01/Accounts/{account_sid}/Messages.json   what a channel calls
//   out   one signed form for each change of a message, to its StatusCallback
//   out   one signed form for each message of a customer, to hub_url
//   in    /_sandbox/inbound, /_sandbox/rules, /_sandbox/messages        switches for tests
// Source: https://www.twilio.com/docs/messaging/api/message-resource

#include <patchbay/sdk.hpp>

#include "config.hpp"
#include "listener.hpp"
#include "provider.hpp"

namespace patchbay::sandbox {
namespace {

class Sandbox final : public Plugin, public HealthCheck {
public:
    // Stands in for another machine, so its connections and its time are its own.
    static constexpr uint32_t flags = owns_threads | exclusive | development_only;

    Sandbox(Config config, Host host)
        : provider_(config, host), listener_(config.listen, [this](const Request& request) {
              return provider_.answer(request);
          }) {
        host.info("sandbox plays Twilio", {{"port", std::to_string(listener_.port())}});
    }

    ~Sandbox() override { provider_.stop(); }

    Health health(const Call&) override { return {}; }

private:
    Provider provider_;
    Listener listener_;  // Last: it calls the provider until it is gone.
};

}  // namespace
PATCHBAY_PLUGIN(sandbox, "1.0.0", Sandbox, read_config, "http-client/1", "clock/1", "crypto/1")
}  // namespace patchbay::sandbox
