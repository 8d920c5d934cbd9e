// The HTTP side of webhooks: /hooks/{instance}/{route} and aliases. Limits, route, signature, row,
// answer; plugin code runs later.
#pragma once
#include <functional>
#include <string>

#include "config/current_config.hpp"
#include "http/router.hpp"
#include "inbound/ingress.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

class Hooks {
public:
    Hooks(const CurrentConfig& config, const Clock& clock, PluginHost& plugins, Router& router,
          Ingress& ingress);

    /// Told of each request whose signature was wrong or missing, before it is refused. Before the
    /// server starts. [any thread]
    using Refused = std::function<void(const ExchangePtr&, const std::string& instance)>;
    void on_refused(Refused listener) { refused_ = std::move(listener); }

    /// Publishes the routes of one instance, replacing what it had; also while it is disabled:
    /// its webhooks are checked, stored and answered then, and routed when it is back. A path that
    /// another instance has already is left out; the answer tells them.
    std::vector<TakenRoute> publish(const std::string& instance);
    void withdraw(const std::string& instance);

    /// Why a webhook of this instance could not be told from a forged one: a secret that is missing
    /// or unusable, a scheme that is not known here (S45). Empty: each can.
    static std::string why_uncheckable(const InstanceConfig& instance, const WebhookFace& face);

    /// What to enter at the provider: public_url + /hooks/{instance}/{route}.
    std::string public_url(const std::string& instance, const std::string& route) const;

private:
    const CurrentConfig& config_;
    const Clock& clock_;
    PluginHost& plugins_;
    Router& router_;
    Ingress& ingress_;
    Refused refused_;
};

}  // namespace patchbay
