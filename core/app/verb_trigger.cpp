// patchbay trigger INSTANCE.ROUTE: the webhook a provider would send
#include <fstream>
#include <ostream>
#include <patchbay/sdk.hpp>

#include "app/hub_link.hpp"
#include "app/table.hpp"
#include "app/verbs.hpp"
#include "base/crypto.hpp"
#include "http/client.hpp"
#include "inbound/signature_scheme.hpp"

namespace patchbay {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::chrono::seconds call_timeout{15};

struct TriggerOptions {
    std::string target, from, text, file;
    std::vector<std::string> form;
};

const InstanceConfig& require_instance(const HubConfig& config, const std::string& name) {
    for (const auto& instance : config.plugins) {
        if (instance.name == name) return instance;
    }
    throw VerbFailure(exit_code::not_found, "no instance is called \"" + name + "\"");
}

std::string setting(const InstanceConfig& instance, const std::string& key) {
    const auto found = instance.config.find(key);
    return found == instance.config.end() ? "" : found->second;
}

std::string new_sid(const char* kind) { return kind + to_hex(random_bytes(16)); }

/// Later values win, the place of the first stays.
void set(Pairs& form, const std::string& key, const std::string& value) {
    for (auto& pair : form) {
        if (pair.first == key) {
            pair.second = value;
            return;
        }
    }
    form.emplace_back(key, value);
}

/// What Twilio sends for a message that a customer wrote, or for a change of one of ours.
/// Source: https://www.twilio.com/docs/messaging/guides/webhook-request
Pairs twilio_form(const InstanceConfig& instance, const std::string& route,
                  const TriggerOptions& options) {
    const bool whatsapp = instance.plugin == "twilio_whatsapp";
    const std::string prefix = whatsapp ? "whatsapp:" : "";
    std::string own = setting(instance, whatsapp ? "from" : "default_from");
    std::string other = options.from.empty() ? "+15005550009" : options.from;
    if (!other.starts_with(prefix)) other = prefix + other;
    const std::string sid = new_sid("SM");
    Pairs form = {{"MessageSid", sid},
                  {"SmsSid", sid},
                  {"AccountSid", setting(instance, "account_sid")},
                  {"ApiVersion", "2010-04-01"}};
    if (route == "status") {
        form.insert(form.end(), {{"From", own},
                                 {"To", other},
                                 {"MessageStatus", "delivered"},
                                 {"SmsStatus", "delivered"}});
    } else {
        form.insert(form.end(), {{"From", other},
                                 {"To", own},
                                 {"Body", options.text},
                                 {"NumMedia", "0"},
                                 {"NumSegments", "1"},
                                 {"SmsMessageSid", sid},
                                 {"SmsStatus", "received"}});
    }
    return form;
}

std::string encoded(const Pairs& form) {
    std::string body;
    for (const auto& [key, value] : form) {
        body += (body.empty() ? "" : "&") + percent_encode(key) + "=" + percent_encode(value);
    }
    return body;
}

std::string read_file(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw VerbFailure(exit_code::not_found, file + " cannot be read");
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string body_for(const InstanceConfig& instance, const std::string& route,
                     const TriggerOptions& options) {
    if (!options.file.empty()) return read_file(options.file);
    Pairs form;
    if (instance.plugin.starts_with("twilio_")) form = twilio_form(instance, route, options);
    for (const auto& pair : options.form) {
        const size_t sign = pair.find('=');
        if (sign == std::string::npos || sign == 0) {
            throw VerbFailure(exit_code::usage, "--form takes key=value, found \"" + pair + "\"");
        }
        set(form, pair.substr(0, sign), pair.substr(sign + 1));
    }
    if (form.empty()) {
        throw VerbFailure(exit_code::usage,
                          instance.plugin + " needs the body: --file BODY or --form key=value");
    }
    return encoded(form);
}

/// How the provider of a plugin signs. The verb runs beside the hub and loads no plugin, so it
/// cannot ask for the route's own scheme.
struct Signer {
    std::string_view plugin;
    Signature scheme;
    const char *secret, *header;
};

constexpr Signer signers[] = {
    {"twilio_sms", Signature::twilio_sha1, "auth_token", ""},
    {"twilio_whatsapp", Signature::twilio_sha1, "auth_token", ""},
    {"twilio_conversations", Signature::twilio_sha1, "auth_token", ""},
    {"whatsapp_cloud", Signature::meta_sha256, "app_secret", ""},
    {"make", Signature::shared_header, "inbound_secret", "authorization"},
};

/// A plugin that is not known here gets no signature.
void sign(Request& request, const InstanceConfig& instance) {
    for (const Signer& signer : signers) {
        if (signer.plugin != instance.plugin) continue;
        const SignatureSettings settings{.secrets = {setting(instance, signer.secret)},
                                         .header = signer.header};
        find_signature_scheme(signer.scheme)->sign(request, settings, SystemClock{}.now_ms());
    }
}

Request webhook(const HubConfig& config, const TriggerOptions& options) {
    const size_t dot = options.target.find('.');
    if (dot == std::string::npos || dot == 0 || dot + 1 == options.target.size()) {
        throw VerbFailure(exit_code::usage, "expected INSTANCE.ROUTE such as sms.message");
    }
    const std::string route = options.target.substr(dot + 1);
    const InstanceConfig& instance = require_instance(config, options.target.substr(0, dot));
    Request request;
    request.method = "POST";
    request.url = config.server.public_url + "/hooks/" + instance.name + "/" + route;
    request.body = body_for(instance, route, options);
    const size_t first = request.body.find_first_not_of(" \t\r\n");
    const bool json =
        first != std::string::npos && (request.body[first] == '{' || request.body[first] == '[');
    request.headers["content-type"] =
        json ? "application/json" : "application/x-www-form-urlencoded";
    sign(request, instance);
    return request;
}

int trigger(const Invocation& run, const TriggerOptions& options) {
    const Request request = webhook(run.config(), options);
    Response response;
    try {
        response = HttpClient{}.call(request, {.timeout = call_timeout});
    } catch (const ConnectionFailed& error) {
        throw VerbFailure(exit_code::unavailable,
                          "nothing answers at " + request.url + ": " + error.what());
    }
    if (run.json()) {
        JsonObject json = make_object();
        json->set("url", request.url);
        json->set("status", response.status);
        json->set("body", response.body);
        print_json(run.streams.out, json);
    } else {
        run.streams.out << request.url << " answered " << response.status << '\n';
        if (!response.body.empty()) run.streams.out << printable(response.body) << '\n';
    }
    return exit_of(response.status);
}

}  // namespace

void add_trigger_verb(CLI::App& app, Invocation& run) {
    CLI::App* verb = app.add_subcommand(
        "trigger",
        "Make the webhook a provider would send, sign it and post it to the running hub");
    const auto options = std::make_shared<TriggerOptions>();
    verb->add_option("target", options->target, "INSTANCE.ROUTE such as sms.message")->required();
    verb->add_option("--from", options->from, "Number of the customer");
    verb->add_option("--text", options->text, "What the customer wrote");
    verb->add_option("--form", options->form, "key=value: another field, or another value of one");
    verb->add_option("--file", options->file, "Send this file's content as the body")
        ->type_name("FILE");
    verb->callback(
        [&run, options] { run.verb = [&run, options] { return trigger(run, *options); }; });
}

}  // namespace patchbay
