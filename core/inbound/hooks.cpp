#include "inbound/hooks.hpp"

#include <future>
#include <patchbay/text.hpp>

#include "base/log.hpp"
#include "http/problem.hpp"
#include "inbound/twilio_signature.hpp"

namespace patchbay {
namespace {

constexpr size_t max_webhook_bytes = 3u << 20;  // S30
constexpr std::chrono::seconds plugin_deadline{1};

struct Hook {
    std::string instance, signatures, public_url;
    Route route;
    std::vector<std::string> secrets;  // The current one first, then the one being rotated out.
};

bool is_authentic(const Hook& hook, PluginHost& plugins, const HttpRequest& request) {
    switch (hook.route.signature) {
        case Signature::none:
            return true;
        case Signature::twilio_sha1:
            return twilio_signature_matches(request, hook.public_url, hook.secrets);
        case Signature::custom: {
            const PluginLeasePtr plugin = plugins.lease(hook.instance);
            if (!plugin) throw Problem("channel_unavailable");
            return plugin->is_authentic(Call{.left = plugin_deadline},
                                        Ingress::plugin_request(request, hook.route.name));
        }
        default:
            return false;
    }
}

void check_signature(const Hook& hook, PluginHost& plugins, const HttpRequest& request) {
    if (hook.signatures == "off" || is_authentic(hook, plugins, request)) return;
    log_warn("inbound", "webhook signature refused",
             {{"instance", hook.instance}, {"route", hook.route.name}, {"mode", hook.signatures}});
    if (hook.signatures != "observe") throw Problem("invalid_signature");
}

// After the signature (S4A): a provider that repeats a broken body would repeat it for ever, so it
// is refused, not stored (architecture 10.9).
void check_body(const Hook& hook, const HttpRequest& request) {
    if (request.method == "GET") return;
    if (hook.route.body == RouteBody::form) {
        if (has_body_hash(request)) return;  // Twilio's JSON transport: its hash was checked.
        if (!request.body.empty() &&
            request.content_type() != "application/x-www-form-urlencoded") {
            throw Problem("unsupported_media_type");
        }
        const auto decoded = percent_decode(request.body, true);
        if (!decoded || !is_utf8(*decoded)) throw Problem("invalid_form");
    } else if (hook.route.body == RouteBody::json && request.content_type() != "application/json") {
        throw Problem("unsupported_media_type");
    }
}

void store_and_answer(const std::shared_ptr<const Hook>& hook, Ingress& ingress,
                      const ExchangePtr& exchange) {
    ingress.accept(hook->instance, hook->route.name, exchange->request(),
                   [hook, exchange](std::exception_ptr failed) {
                       if (failed) {
                           answer_error(exchange, failed);
                       } else {
                           exchange->answer(hook->route.answer);
                       }
                   });
}

// Where the provider wants an answer computed, plugin code runs before it: still after the row is
// committed (architecture section 1).
void store_and_compute(const Hook& hook, PluginHost& plugins, Ingress& ingress,
                       const ExchangePtr& exchange) {
    std::promise<void> committed;
    const int64_t id = ingress.accept(hook.instance, hook.route.name, exchange->request(),
                                      [&committed](std::exception_ptr failed) {
                                          if (failed) {
                                              committed.set_exception(failed);
                                          } else {
                                              committed.set_value();
                                          }
                                      });
    committed.get_future().get();
    const PluginLeasePtr plugin = plugins.lease(hook.instance);
    if (!plugin) throw Problem("channel_unavailable");
    Request request = Ingress::plugin_request(exchange->request(), hook.route.name);
    request.id = std::to_string(id);
    exchange->answer(plugin->respond(Call{.left = plugin_deadline}, request));
}

void take_in(const std::shared_ptr<const Hook>& hook, PluginHost& plugins, Ingress& ingress,
             const ExchangePtr& exchange) {
    check_signature(*hook, plugins, exchange->request());
    check_body(*hook, exchange->request());
    if (hook->route.answering == Answering::computed) {
        store_and_compute(*hook, plugins, ingress, exchange);
    } else {
        store_and_answer(hook, ingress, exchange);
    }
}

// A scheme that cannot be checked must not let anything in.
bool is_supported(Signature signature) {
    return signature == Signature::none || signature == Signature::custom ||
           signature == Signature::twilio_sha1;
}

bool needs_secret(Signature signature) {
    return signature != Signature::none && signature != Signature::custom;
}

std::vector<std::string> secrets_of(PluginLease& plugin, const Route& route) {
    std::vector<std::string> secrets;
    for (const std::string& key : {route.secret, route.previous_secret}) {
        if (key.empty()) continue;
        if (std::string secret = plugin.secret(key); !secret.empty()) {
            secrets.push_back(std::move(secret));
        }
    }
    return secrets;
}

std::vector<std::string> paths_of(const InstanceConfig& instance, const Route& route) {
    std::vector<std::string> paths{"/hooks/" + instance.name + "/" +
                                   (route.path.empty() ? route.name : route.path)};
    paths.insert(paths.end(), route.aliases.begin(), route.aliases.end());
    if (const auto more = instance.aliases.find(route.name); more != instance.aliases.end()) {
        paths.insert(paths.end(), more->second.begin(), more->second.end());
    }
    return paths;
}

RouteSpec spec_of(const Hook& hook, const std::string& method, const std::string& path) {
    // Plugin code before the answer must not run on a socket thread.
    const bool plugin_first =
        hook.route.signature == Signature::custom || hook.route.answering == Answering::computed;
    return {.name = "hook",
            .method = method,
            .path = path,
            .body = BodyKind::any,
            .max_body_bytes = std::min<size_t>(hook.route.max_body_bytes, max_webhook_bytes),
            .runs_on = plugin_first ? RunsOn::worker : RunsOn::reactor,
            .roles = {"public"},
            .problem_bodies = false,
            .about = "Webhook " + hook.route.name + " of " + hook.instance};
}

const InstanceConfig& instance_named(const HubConfig& config, const std::string& name) {
    for (const InstanceConfig& instance : config.plugins) {
        if (instance.name == name) return instance;
    }
    throw std::logic_error("no instance " + name);
}

}  // namespace

Hooks::Hooks(const HubConfig& config, PluginHost& plugins, Router& router, Ingress& ingress)
    : config_(config), plugins_(plugins), router_(router), ingress_(ingress) {}

void Hooks::publish(const std::string& name) {
    const PluginLeasePtr plugin = plugins_.lease(name);
    if (!plugin || !plugin->provides(WebhookHandler::interface_id)) return;
    const InstanceConfig& instance = instance_named(config_, name);

    std::vector<RouteEntry> entries;
    for (const Route& route : plugin->routes()) {
        auto hook =
            std::make_shared<const Hook>(Hook{name, instance.signatures, config_.server.public_url,
                                              route, secrets_of(*plugin, route)});
        if (!is_supported(route.signature)) {
            log_error("inbound", "webhook route left out: its signature scheme is not known here",
                      {{"instance", name}, {"route", route.name}});
            continue;
        }
        if (needs_secret(route.signature) && hook->secrets.empty() &&
            instance.signatures == "required") {
            log_error("inbound", "webhook route left out: its secret is not configured",
                      {{"instance", name}, {"route", route.name}, {"key", route.secret}});
            continue;
        }
        const auto methods =
            route.methods.empty() ? std::vector<std::string>{"POST"} : route.methods;
        for (const std::string& path : paths_of(instance, route)) {
            for (const std::string& method : methods) {
                entries.push_back(
                    {spec_of(*hook, method, path), [this, hook](const ExchangePtr& exchange) {
                         take_in(hook, plugins_, ingress_, exchange);
                     }});
            }
        }
    }
    router_.replace(name, std::move(entries));
}

void Hooks::withdraw(const std::string& instance) { router_.replace(instance, {}); }

std::string Hooks::public_url(const std::string& instance, const std::string& route) const {
    std::string base = config_.server.public_url;
    while (base.ends_with('/')) base.pop_back();
    return base + "/hooks/" + instance + "/" + route;
}

}  // namespace patchbay
