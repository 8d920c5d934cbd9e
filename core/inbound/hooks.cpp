#include "inbound/hooks.hpp"

#include <future>
#include <patchbay/text.hpp>

#include "base/log.hpp"
#include "http/problem.hpp"
#include "inbound/signature_scheme.hpp"
#include "inbound/twilio_signature.hpp"

namespace patchbay {
namespace {

constexpr size_t max_webhook_bytes = 3u << 20;  // S30
constexpr std::chrono::seconds plugin_deadline{1};
constexpr std::chrono::seconds unavailable_for{30};

const Family<Counter> ingress_total{
    "patchbay_ingress_total", "Webhooks by what became of them.", {"instance", "route", "result"}};

struct Hook {
    std::string instance, signatures;
    Route route;
    const SignatureScheme* scheme = nullptr;  // Of the core's own; none for `custom` and `none`.
    SignatureSettings settings;

    void count(const char* result) const {
        ingress_total.with({instance, route.name, result}).add();
    }
};

// What checking and answering a request need beside its hook.
struct Parts {
    const Clock& clock;
    PluginHost& plugins;
    Ingress& ingress;
    const Hooks::Refused& refused;
};

bool is_authentic(const Hook& hook, const Parts& parts, const HttpRequest& request) {
    if (hook.scheme) {
        const bool matches = hook.scheme->matches(request, hook.settings, parts.clock.now_ms());
        if (!matches || !hook.route.and_custom) return matches;
    }
    if (hook.route.signature == Signature::none) return true;
    const PluginLeasePtr plugin = parts.plugins.lease(hook.instance);
    if (!plugin) throw Problem("channel_unavailable").retry_after(unavailable_for);
    return plugin->is_authentic(Call{.trace = request.trace, .left = plugin_deadline},
                                Ingress::plugin_request(request, hook.route.name));
}

void check_signature(const Hook& hook, const Parts& parts, const ExchangePtr& exchange) {
    if (hook.signatures == "off" || is_authentic(hook, parts, exchange->request())) return;
    hook.count(hook.signatures == "observe" ? "observed" : "bad_signature");
    log_warn("inbound", "webhook signature refused",
             {{"instance", hook.instance}, {"route", hook.route.name}, {"mode", hook.signatures}});
    if (hook.signatures == "observe") return;
    if (parts.refused) parts.refused(exchange, hook.instance);
    throw Problem("invalid_signature");
}

// As Form::parse counts them: what it would refuse must not be stored.
size_t fields_of(std::string_view form) {
    size_t fields = 0;
    while (!form.empty()) {
        const size_t end = std::min(form.find('&'), form.size());
        if (end > 0) ++fields;
        form.remove_prefix(std::min(end + 1, form.size()));
    }
    return fields;
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
        if (fields_of(request.body) > Form::max_pairs) throw Problem("body_too_large");
    } else if (hook.route.body == RouteBody::json && request.content_type() != "application/json") {
        throw Problem("unsupported_media_type");
    }
}

void store_and_answer(const std::shared_ptr<const Hook>& hook, Ingress& ingress,
                      const ExchangePtr& exchange) {
    ingress.accept(hook->instance, hook->route.name, exchange->request(),
                   [hook, exchange](std::exception_ptr failed) {
                       hook->count(failed ? "not_stored" : "stored");
                       if (failed) {
                           answer_error(exchange, failed);
                       } else {
                           exchange->answer(hook->route.answer);
                       }
                   });
}

// Where the provider wants an answer computed, plugin code runs before it: still after the row is
// committed (architecture section 1).
void store_and_compute(const Hook& hook, const Parts& parts, const ExchangePtr& exchange) {
    std::promise<void> committed;
    const int64_t id = parts.ingress.accept(hook.instance, hook.route.name, exchange->request(),
                                            [&](std::exception_ptr failed) {
                                                hook.count(failed ? "not_stored" : "stored");
                                                if (failed) {
                                                    committed.set_exception(failed);
                                                } else {
                                                    committed.set_value();
                                                }
                                            });
    committed.get_future().get();
    const PluginLeasePtr plugin = parts.plugins.lease(hook.instance);
    if (!plugin) return exchange->answer(hook.route.answer);  // Kept: no reason to send it again.
    Request request = Ingress::plugin_request(exchange->request(), hook.route.name);
    request.id = std::to_string(id);
    exchange->answer(plugin->respond(
        Call{.trace = exchange->request().trace, .left = plugin_deadline}, request));
}

void take_in(const std::shared_ptr<const Hook>& hook, const Parts& parts,
             const ExchangePtr& exchange) {
    check_signature(*hook, parts, exchange);
    try {
        check_body(*hook, exchange->request());
    } catch (const Problem&) {
        hook->count("bad_body");
        throw;
    }
    if (hook->route.answering == Answering::computed) {
        store_and_compute(*hook, parts, exchange);
    } else {
        store_and_answer(hook, parts.ingress, exchange);
    }
}

Hook hook_of(const InstanceConfig& instance, const std::string& public_url, const WebhookFace& face,
             const Route& route) {
    Hook hook{.instance = instance.name,
              .signatures = instance.signatures,
              .route = route,
              .scheme = find_signature_scheme(route.signature),
              .settings = {.public_url = public_url, .header = ascii_lower(route.header)}};
    if (!hook.scheme) return hook;
    for (const std::string& key : {route.secret, route.previous_secret}) {
        if (key.empty()) continue;
        std::string secret = face.secret(key);
        if (hook.scheme->is_usable(secret)) hook.settings.secrets.push_back(std::move(secret));
    }
    return hook;
}

std::string why_uncheckable(const Hook& hook) {
    const Signature signature = hook.route.signature;
    if (signature == Signature::none || signature == Signature::custom) return {};
    if (!hook.scheme) return "its signature scheme is not known here";
    if (hook.signatures != "required") return {};
    if (signature == Signature::shared_header && hook.settings.header.empty())
        return "it does not say which header holds the secret";
    return hook.settings.secrets.empty()
               ? "its secret \"" + hook.route.secret + "\" is missing or unusable"
               : "";
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
    const bool plugin_first = hook.route.signature == Signature::custom || hook.route.and_custom ||
                              hook.route.answering == Answering::computed;
    return {.name = "hook",
            .method = method,
            .path = path,
            .body = BodyKind::any,
            .max_body_bytes = std::min<size_t>(
                hook.route.max_body_bytes,
                hook.route.body == RouteBody::form ? max_form_bytes : max_webhook_bytes),
            .runs_on = plugin_first ? RunsOn::worker : RunsOn::reactor,
            .roles = {"public"},
            .problem_bodies = false,
            .about = "Webhook " + hook.route.name + " of " + hook.instance};
}

// A provider may have joined a URL that ends in a slash with a path that begins with one.
const std::string& signed_url(const HubConfig& config) {
    const auto& server = config.server;
    return server.written_public_url.empty() ? server.public_url : server.written_public_url;
}

const InstanceConfig& instance_named(const HubConfig& config, const std::string& name) {
    if (const InstanceConfig* instance = find_instance(config, name)) return *instance;
    throw std::logic_error("no instance " + name);
}

}  // namespace

Hooks::Hooks(const CurrentConfig& config, const Clock& clock, PluginHost& plugins, Router& router,
             Ingress& ingress)
    : config_(config), clock_(clock), plugins_(plugins), router_(router), ingress_(ingress) {}

std::vector<TakenRoute> Hooks::publish(const std::string& name) {
    const auto face = plugins_.webhooks(name);
    if (!face) return {};
    const ConfigPtr config = config_.get();
    const InstanceConfig& instance = instance_named(*config, name);
    if (instance.signatures != "required") {
        log_warn("inbound", "webhooks are taken whoever sends them",
                 {{"instance", name}, {"signatures", instance.signatures}});
    }

    std::vector<RouteEntry> entries;
    for (const Route& route : face->routes) {
        const auto hook =
            std::make_shared<const Hook>(hook_of(instance, signed_url(*config), *face, route));
        const auto methods =
            route.methods.empty() ? std::vector<std::string>{"POST"} : route.methods;
        for (const std::string& path : paths_of(instance, route)) {
            for (const std::string& method : methods) {
                entries.push_back(
                    {spec_of(*hook, method, path), [this, hook](const ExchangePtr& exchange) {
                         take_in(hook, {clock_, plugins_, ingress_, refused_}, exchange);
                     }});
            }
        }
    }
    return router_.replace_free(name, std::move(entries));
}

void Hooks::withdraw(const std::string& instance) { router_.replace(instance, {}); }

std::string Hooks::why_uncheckable(const InstanceConfig& instance, const WebhookFace& face) {
    for (const Route& route : face.routes) {
        const std::string why = patchbay::why_uncheckable(hook_of(instance, "", face, route));
        if (!why.empty()) return "webhook \"" + route.name + "\" cannot be checked: " + why;
    }
    return {};
}

std::string Hooks::public_url(const std::string& instance, const std::string& route) const {
    std::string base = config_.get()->server.public_url;
    while (base.ends_with('/')) base.pop_back();
    return base + "/hooks/" + instance + "/" + route;
}

}  // namespace patchbay
