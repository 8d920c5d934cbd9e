// What a plugin can be: inherit what is needed, the stamp's `provides` follows at compile time.
// [any thread] means that the hub calls from several threads at once.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config_reader.hpp"
#include "values.hpp"

namespace patchbay {

inline constexpr uint32_t exclusive = 1;     ///< Never two generations at once.
inline constexpr uint32_t owns_threads = 2;  ///< Has threads of its own, joined in the destructor.
inline constexpr uint32_t development_only = 4;  ///< A hub in `mode: production` refuses it.

/// Constructor = start, destructor = stop. The constructor gets (Config, Host) and may throw; the
/// destructor may not.
class Plugin {
public:
    static constexpr uint32_t flags = 0;  ///< Shadow it: exclusive | owns_threads | ...
    // A plugin with tables of its own has `static std::vector<tables::Migration> migrations()`.
    virtual ~Plugin() = default;
    /// No new calls come; finish what is under way.
    virtual void drain(milliseconds /*left*/) {}
    /// Only keys marked `live` changed. false: make a new generation instead.
    virtual bool reconfigure(std::span<const std::string> /*changed_keys*/, ConfigReader&) {
        return false;
    }
    virtual void on_timer(std::string_view /*name*/, std::string_view /*payload*/) {}
    virtual void on_task(std::string_view /*name*/, std::string_view /*payload*/) {}
};

/// What the hub does with a message whose outcome stays unknown after the look-up.
enum class UnknownPolicy : uint8_t {
    hold,    ///< Staff decides.
    resend,  ///< The receiver drops repeats, or a second copy does no harm.
    fail
};

struct Capabilities {
    bool text = true, media = false, templates = false, delivery_status = false;
    bool honours_id = false;  ///< The provider drops a repeat of OutboundMessage::id.
    std::vector<std::string> media_types{};
    uint64_t max_media_bytes = 0;
    /// After the contact's last message; then templates only. 0: none.
    milliseconds session_window{0};
    uint32_t max_text_chars = 4096, max_media = 0;
    /// Of the provider, beside what the configuration sets; the lower one counts. 0: no limit of
    /// its own.
    uint32_t per_second = 0, max_concurrency = 0;
    /// Which optional functions there are.
    bool look_up = false, list_since = false, mark_read = false, typing = false;
    UnknownPolicy when_unknown = UnknownPolicy::hold;
    /// For a callback that carries our id, before the look-up.
    milliseconds evidence_wait{15'000};
    /// With `resend`: how long to wait first. Templates are never sent again blindly.
    milliseconds hold_before{0};
    PATCHBAY_FIELDS {
        v(1, text)(2, media)(3, templates)(4, delivery_status)(5, honours_id)(6, media_types);
        v(7, max_text_chars)(8, max_media)(9, per_second)(10, max_concurrency);
        v(11, max_media_bytes)(12, session_window)(13, look_up)(14, list_since)(15, mark_read);
        v(16, typing)(17, when_unknown)(18, evidence_wait)(19, hold_before);
    }
};

/// What a read receipt or a typing sign is about.
struct Mark {
    /// The newest message that was read.
    std::string provider_id{};
    std::string external_conversation{};  ///< The provider's, where it has one.
    Address to{}, from{};
    PATCHBAY_FIELDS { v(1, provider_id)(2, external_conversation)(3, to)(4, from); }
};

/// [any thread] At most `limits.concurrency` calls at once, or `max_concurrency` where that is
/// less.
class Channel {
public:
    static constexpr const char* interface_id = "channel/1";
    virtual Capabilities capabilities() const = 0;
    /// Hands one message to the provider. A refusal is a SendResult; throws ConnectionFailed when
    /// no answer came and Error(unauthorized) when the provider does not accept our credentials.
    virtual SendResult send(const Call&, const OutboundMessage&) = 0;

    // Optional: each has its flag in Capabilities.
    /// Finds a message whose outcome is unknown. nullopt: it is certainly not there. `unknown` or
    /// an exception: cannot tell.
    virtual std::optional<SendResult> look_up(const Call&, const OutboundMessage&) {
        return std::nullopt;
    }
    /// What came since then, for gaps after an outage. The same dedupe keys as receive() gives.
    virtual std::vector<Event> list_since(const Call&, int64_t /*since_ms*/) { return {}; }
    virtual void mark_read(const Call&, const Mark&) {}
    virtual void typing(const Call&, const Mark&) {}

protected:
    ~Channel() = default;
};

/// Checked by the host before any plugin code runs; `custom` asks is_authentic().
enum class Signature : uint8_t {
    none,
    custom,
    meta_sha256,
    twilio_sha1,
    shared_header,
    standard_webhooks
};

/// `fixed`: Route::answer, and receive() runs later. `computed`: respond() makes it, after the
/// request was stored.
enum class Answering : uint8_t { fixed, computed };

/// What the body must be; anything else is answered 400. `raw` takes all.
enum class RouteBody : uint8_t { raw, json, form };

/// One named HTTP entry: /hooks/{instance}/{name}. Routes may share a name when their methods
/// differ: a handshake by GET without signature beside a signed POST.
struct Route {
    std::string name{};
    std::string path{};                  ///< Below /hooks/{instance}/; empty: the name.
    std::vector<std::string> methods{};  ///< Empty: POST.
    RouteBody body = RouteBody::raw;
    Signature signature = Signature::custom;
    std::string secret{};  ///< Its key in the configuration.
    /// Key of the one that is still accepted while secrets are changed.
    std::string previous_secret{};
    /// shared_header: its name in lower case. `authorization` means a bearer token.
    std::string header{};
    Answering answering = Answering::fixed;
    Response answer{};                   ///< Fixed 2xx.
    std::vector<std::string> aliases{};  ///< Absolute paths that lead here as well.
    uint32_t max_body_bytes = 1u << 20;
    std::string about{};
    /// Asks is_authentic() as well, after the scheme has found the signature right.
    bool and_custom = false;
    PATCHBAY_FIELDS {
        v(1, name)(2, path)(3, methods)(4, signature)(5, secret)(6, max_body_bytes)(7, answer);
        v(8, answering)(9, body)(10, previous_secret)(11, aliases)(12, header)(13, about);
        v(14, and_custom);
    }
};

/// [any thread]
class WebhookHandler {
public:
    static constexpr const char* interface_id = "webhook/1";
    virtual std::vector<Route> routes() const = 0;
    /// Only for Signature::custom and Route::and_custom. No answer, no storing before it says yes.
    virtual bool is_authentic(const Call&, const Request&) const { return false; }
    /// From the stored request: pure, may be repeated. RequestError: the request is kept as
    /// ignored, with that reason.
    virtual std::vector<Event> receive(const Call&, const Request&) = 0;
    /// Only for Answering::computed. Within a second; receive() still runs later.
    virtual Response respond(const Call&, const Request&) { return {}; }

protected:
    ~WebhookHandler() = default;
};

/// At least once; never two at once for one conversation, parallel over conversations. Has lanes of
/// its own: a slow one holds up no send.
class EventHandler {
public:
    static constexpr const char* interface_id = "events/1";
    virtual std::vector<std::string> topics() const = 0;  ///< "message.*"
    virtual void handle(const Call&, const Event&) = 0;

protected:
    ~EventHandler() = default;
};

struct StepInfo {
    std::string name{}, about{};
    std::string input_schema{};  ///< JSON Schema; empty: anything.
    PATCHBAY_FIELDS { v(1, name)(2, about)(3, input_schema); }
};

struct StepInput {
    std::string step{};
    std::string input{}, state{};  ///< JSON
    Event event{};
    std::string conversation{}, contact{};  ///< The hub's ids.
    int64_t now_ms = 0;                     ///< When it runs: the same when it is repeated.
    PATCHBAY_FIELDS {
        v(1, step)(2, input)(3, state)(4, event)(5, conversation)(6, contact)(7, now_ms);
    }
};

struct Action {
    /// send, set_status, notify_staff, call_step, operation
    std::string kind{};
    std::string data{};  ///< JSON
    std::optional<OutboundMessage> message{};
    PATCHBAY_FIELDS { v(1, kind)(2, data)(3, message); }
};

struct StepResult {
    std::string next{};   ///< Empty: the flow decides.
    std::string state{};  ///< JSON
    std::vector<Action> actions{};
    milliseconds wait{0};
    PATCHBAY_FIELDS { v(1, next)(2, state)(3, actions)(4, wait); }
};

/// [any thread] Event in, actions out: sends nothing itself, so that a conversation can be
/// replayed.
class FlowSteps {
public:
    static constexpr const char* interface_id = "flow/1";
    virtual std::vector<StepInfo> steps() const = 0;
    virtual StepResult run(const Call&, const StepInput&) = 0;

protected:
    ~FlowSteps() = default;
};

struct ApiRoute {
    std::string name{}, method{};
    std::string path{};  ///< Absolute: /rooms/{id}. With and without the last slash alike.
    std::string scope{}, about{};
    milliseconds deadline{1'000};        ///< Up to 30 s, where it waits for a provider.
    std::vector<std::string> callers{};  ///< `public`, `signed_in` or role names. Empty: signed_in.
    RouteBody body = RouteBody::json;    ///< Of POST, PUT and PATCH.
    uint32_t max_body_bytes = 1u << 20;
    /// Answered while the instance does not run, in place of a 503 `channel_unavailable`.
    std::optional<Response> when_off{};
    PATCHBAY_FIELDS {
        v(1, name)(2, method)(3, path)(4, scope)(5, about)(6, deadline)(7, callers)(8, body);
        v(9, max_body_bytes)(10, when_off);
    }
};

/// [any thread] Signed in and allowed already: the host checked.
class HttpApi {
public:
    static constexpr const char* interface_id = "http/1";
    virtual std::vector<ApiRoute> api_routes() const = 0;
    /// Request::route is ApiRoute::name.
    virtual Response answer(const Call&, const Request&) = 0;

protected:
    ~HttpApi() = default;
};

struct OperationInfo {
    std::string name{}, about{}, input_schema{};
    milliseconds deadline{30'000};
    PATCHBAY_FIELDS { v(1, name)(2, about)(3, input_schema)(4, deadline); }
};

struct OperationInput {
    std::string name{}, input{};  ///< JSON
    std::string key{};            ///< The same on every retry: the same key has its effect once.
    std::string caller{};         ///< Instance that asks.
    PATCHBAY_FIELDS { v(1, name)(2, input)(3, key)(4, caller); }
};

/// [any thread] Named, idempotent things that this instance does for others: create a room, append
/// a row. They run as jobs.
class OperationHandler {
public:
    static constexpr const char* interface_id = "operations/1";
    virtual std::vector<OperationInfo> operations() const = 0;
    /// JSON. Errors as send() throws them.
    virtual std::string perform(const Call&, const OperationInput&) = 0;

protected:
    ~OperationHandler() = default;
};

struct SocketRoute {
    std::string name{}, path{}, about{};  ///< "/ws/chat/{department}/"
    std::vector<std::string> callers{};   ///< As ApiRoute::callers.
    uint32_t max_message_bytes = 64u << 10;
    bool token_in_query = false;
    PATCHBAY_FIELDS {
        v(1, name)(2, path)(3, about)(4, callers)(5, max_message_bytes)(6, token_in_query);
    }
};

struct SocketMessage {
    std::string socket{}, route{}, text{}, user{};
    Labels params{};  ///< Of the path.
    std::string role{};
    std::vector<std::string> departments{};
    PATCHBAY_FIELDS {
        v(1, socket)(2, route)(3, text)(4, user)(5, params)(6, role)(7, departments);
    }
};

/// Joined first: what is pushed to a topic while the call works reaches the socket too, behind the
/// messages.
struct SocketReply {
    std::vector<std::string> messages{};       ///< To this socket, in order.
    std::vector<std::string> join{}, leave{};  ///< Topics.
    int32_t close = 0;                         ///< Close code after the messages; 0: stays open.
    std::string reason{};
    PATCHBAY_FIELDS { v(1, messages)(2, join)(3, leave)(4, close)(5, reason); }
};

/// [any thread] WebSockets of a product; messages of one socket come one at a time, in order.
class SocketHandler {
public:
    static constexpr const char* interface_id = "sockets/1";
    virtual std::vector<SocketRoute> socket_routes() const = 0;
    virtual SocketReply opened(const Call&, const SocketMessage&) = 0;
    virtual SocketReply message(const Call&, const SocketMessage&) { return {}; }
    virtual void closed(const Call&, const SocketMessage&) {}

protected:
    ~SocketHandler() = default;
};

class HealthCheck {
public:
    static constexpr const char* interface_id = "health/1";
    virtual Health health(const Call&) = 0;

protected:
    ~HealthCheck() = default;
};

/// Optional: carries volatile state over a reload.
class StateHandover {
public:
    static constexpr const char* interface_id = "handover/1";
    virtual std::string export_state() = 0;
    virtual void import_state(std::string_view from_version, std::string_view state) = 0;

protected:
    ~StateHandover() = default;
};

}  // namespace patchbay
