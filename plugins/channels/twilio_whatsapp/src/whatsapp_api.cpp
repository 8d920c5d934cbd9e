#include "whatsapp_api.hpp"

#include <Poco/JSON/Object.h>

#include <algorithm>
#include <patchbay/text.hpp>
#include <twilio/requests.hpp>

namespace patchbay::twilio_whatsapp {
namespace {

constexpr milliseconds send_deadline{12'000};  // The wait, and time to store.
constexpr milliseconds list_deadline{5'000};
constexpr size_t longest_challenge = 256;

const std::vector<std::string> staff{"owner", "admin", "agent"};
const std::vector<std::string> senders{"owner", "admin", "agent", "expert"};
const std::vector<std::string> readers{"owner", "admin", "agent", "viewer"};
const std::vector<std::string> everybody{"public"};

Poco::JSON::Object health_json(const std::string& status, bool is_configured,
                               const std::string& message) {
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("status", status);
    json.set("is_configured", is_configured);
    json.set("provider", "Twilio");
    json.set("message", message);
    return json;
}

// Of an instance that did not start: most often its configuration is why.
Response misconfigured() {
    Response answer = twilio::json_answer(
        503, health_json("misconfigured", false, "Missing Twilio configuration"));
    answer.headers["retry-after"] = "30";
    return answer;
}

// A host that cannot tell knows of no trouble.
messaging::ChannelState state_of(const Host& host) try {
    return host.channel_state();
} catch (const Error& error) {
    if (error.kind != ErrorKind::unsupported) throw;
    return {};
}

std::string trouble(const messaging::ChannelState& state) {
    if (state.paused == "auth_failed") return "Twilio refuses the credentials";
    if (!state.paused.empty()) return "Sends are paused: " + state.paused;
    return state.breaker_open ? "Twilio does not answer" : "";
}

std::string value_in(const Labels& labels, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        const auto found = labels.find(name);
        if (found != labels.end()) return found->second;
    }
    return {};
}

bool may_be_echoed(std::string_view challenge) {
    return challenge.size() <= longest_challenge &&
           std::all_of(challenge.begin(), challenge.end(),
                       [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; });
}

}  // namespace

std::vector<ApiRoute> WhatsAppApi::routes() const {
    return {
        {.name = "send",
         .method = "POST",
         .path = "/api/whatsapp/send",
         .scope = "messages:send",
         .about = "Sends a WhatsApp message and waits up to 10 s for Twilio's answer",
         .deadline = send_deadline,
         .callers = senders},
        {.name = "send_bulk",
         .method = "POST",
         .path = "/api/whatsapp/send-bulk",
         .scope = "messages:bulk",
         .about = "One WhatsApp message to up to 10,000 numbers, in the background",
         .deadline = list_deadline,
         .callers = staff},
        {.name = "bulk",
         .method = "GET",
         .path = "/api/whatsapp/send-bulk/{job_id}",
         .scope = "messages:bulk",
         .about = "How far a bulk send is, with a result for each number",
         .deadline = list_deadline,
         .callers = staff},
        {.name = "stop_bulk",
         .method = "POST",
         .path = "/api/whatsapp/send-bulk/{job_id}/stop",
         .scope = "messages:bulk",
         .about = "Calls off what has not left",
         .deadline = list_deadline,
         .callers = staff,
         .body = RouteBody::raw},
        {.name = "messages",
         .method = "GET",
         .path = "/api/whatsapp/messages",
         .scope = "messages:read",
         .about = "The WhatsApp messages with one number, newest first",
         .deadline = list_deadline,
         .callers = readers},
        {.name = "contacts",
         .method = "GET",
         .path = "/api/whatsapp/contacts",
         .scope = "messages:read",
         .about = "Who writes on WhatsApp, latest message first",
         .deadline = list_deadline,
         .callers = readers},
        {.name = "read",
         .method = "POST",
         .path = "/api/whatsapp/contacts/{phone}/read",
         .scope = "messages:write",
         .about = "Marks the messages of a contact as read",
         .deadline = list_deadline,
         .callers = staff,
         .body = RouteBody::raw},
        {.name = "health",
         .method = "GET",
         .path = "/api/whatsapp/health",
         .about = "Whether WhatsApp messages go out",
         .callers = everybody,
         .when_off = misconfigured()},
        {.name = "probe",
         .method = "GET",
         .path = "/api/whatsapp/twilio-webhook",
         .about = "Answers who shows the verify token",
         .callers = everybody},
    };
}

Response WhatsAppApi::answer(const Call& call, const Request& request) {
    if (request.route == "send") return send_.send(call, request);
    if (request.route == "send_bulk") return bulk_.start(call, request);
    if (request.route == "bulk") return bulk_.progress(request);
    if (request.route == "stop_bulk") return bulk_.stop(request);
    if (request.route == "messages") return history_.messages(request);
    if (request.route == "contacts") return history_.contacts(request);
    if (request.route == "read") return history_.read(request);
    return request.route == "health" ? health_answer() : probe(request);
}

std::vector<OperationInfo> WhatsAppApi::operations() const {
    return {{.name = "send",
             .about = "Queues a WhatsApp message: phone_number, message_text and the rest as in "
                      "POST /api/whatsapp/send",
             .input_schema = R"({"type":"object","required":["phone_number"]})"}};
}

Health WhatsAppApi::health(const Call&) const {
    const std::string text = trouble(state_of(host_));
    return {.state = text.empty() ? Health::up : Health::down, .text = text};
}

Response WhatsAppApi::health_answer() const {
    const std::string text = trouble(state_of(host_));
    return twilio::json_answer(
        200, text.empty() ? health_json("healthy", true, "Twilio WhatsApp integration ready")
                          : health_json("unhealthy", true, text));
}

Response WhatsAppApi::probe(const Request& request) const {
    std::string token = value_in(request.query, {"verify_token", "hub.verify_token"});
    if (token.empty()) token = request.header("x-verify-token");
    const bool is_right =
        !config_.verify_token.empty() && equal_secrets(token, config_.verify_token.reveal());
    const std::string challenge = value_in(request.query, {"challenge", "hub.challenge"});
    if (!is_right || !may_be_echoed(challenge)) return {.status = 403};
    if (!challenge.empty()) {
        return {200,
                challenge,
                {{"content-type", "text/plain"}, {"x-content-type-options", "nosniff"}}};
    }
    Poco::JSON::Object json;
    json.set("status", "verified");
    return twilio::json_answer(200, json);
}

}  // namespace patchbay::twilio_whatsapp
