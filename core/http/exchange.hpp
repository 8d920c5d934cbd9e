// One request on its way through the server, and the stages it passes.
#pragma once
#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "http/message.hpp"
#include "http/websocket.hpp"

namespace patchbay {

class Exchange;
using ExchangePtr = std::shared_ptr<Exchange>;
using Handler = std::function<void(const ExchangePtr&)>;

/// Who is calling; filled by the authentication stage. Empty `kind`: nobody signed in.
struct Caller {
    std::string kind;  ///< user, key, local (the command line on this machine) or empty
    std::string id;
    int64_t number = 0;
    std::string email, name, role;
    std::vector<std::string> departments;
    std::set<std::string> scopes;
    std::string credential;  ///< Which token, session or key was shown: an id that tells nothing of
                             ///< it, and the same for all tokens of one sign-in. Empty: none.
    TimeMs signed_in_at = 0;  ///< When the password was given; 0 for a key.
    TimeMs expires_at = 0;    ///< Of the credential; 0: never.
    bool by_cookie = false;   ///< The browser's session: foreign pages could make it act (S6A).
    bool signed_in() const { return !kind.empty(); }
};

enum class BodyKind { none, json, form, multipart, any };

inline constexpr size_t max_form_bytes = 256u << 10;  ///< Of a form, whatever its route says (S30).

/// Where a handler runs. `reactor`: on the socket thread, for work of microseconds that never
/// blocks. `worker`: on the bounded pool; a full pool answers 503 busy. `control`: like worker, on
/// a small pool of its own for health and shutdown.
enum class RunsOn { reactor, worker, control };

/// A query key that a route knows.
struct QueryKey {
    std::string name;
    std::string schema = "Text";  ///< A name of core/api/schemas/.
};

/// What a route answers when nothing is wrong.
struct RouteAnswer {
    int status = 200;      ///< any_status: a plugin's, which the hub does not know.
    std::string schema{};  ///< A name of core/api/schemas/; empty: the answer has no body.
    bool page = false;     ///< A page of them: {"items": [...], "next": cursor or null}.
    std::string type = "application/json";
    static constexpr int any_status = 0;
};

/// One row of the route table; /api/v1/openapi.json is made from these.
struct RouteSpec {
    std::string name;    ///< Stable, used as metric label: "messages.create", "hook".
    std::string method;  ///< GET also answers HEAD.
    std::string path;  ///< "/api/v1/messages/{id}"; with and without the last slash alike (X25). A
                       ///< last segment "{path...}" takes all that is left, one segment at least.
    BodyKind body = BodyKind::none;
    size_t max_body_bytes = 1 << 20;
    RunsOn runs_on = RunsOn::worker;
    std::vector<std::string> roles;  ///< Who may call: role names, "api:<scope>", or "public".
    bool problem_bodies = true;      ///< false on webhook routes: errors have an empty body.
    bool socket = false;             ///< WebSocket: the handler calls Exchange::upgrade. What is no
                                     ///< handshake is refused before anything else (426, 400).
    std::string about;               ///< One sentence for the API description.

    // For the description too; a route without answers is not described. Every route of /api/v1
    // and /health has them (a test checks it).
    std::vector<QueryKey> query{};  ///< Keys that it knows; /api/v1 refuses all others.
    std::string takes{};            ///< Schema of the body: a name of core/api/schemas/.
    bool body_optional = false;     ///< It may be left out.
    std::vector<RouteAnswer> answers{};
    std::vector<std::string> problems{};  ///< Codes of its own, beside those that follow from the
                                          ///< rest (not signed in, faulty field, unknown id, ...).

    /// Largest body in bytes.
    size_t body_limit() const {
        return body == BodyKind::form ? std::min(max_body_bytes, max_form_bytes) : max_body_bytes;
    }
};

struct RouteEntry {
    RouteSpec spec;
    Handler handler;
};

/// Other threads for a handler. [any thread]
class Executor {
public:
    virtual ~Executor() = default;
    /// False when that pool is full or has stopped; `reactor` runs `work` at once.
    virtual bool post(RunsOn where, std::function<void()> work) = 0;
};

/// Owned by shared_ptr; may be answered from any thread, once. One that is dropped without an
/// answer answers 500 by itself.
class Exchange : public std::enable_shared_from_this<Exchange> {
public:
    using Send = std::function<void(Response)>;
    /// Without an `executor` all work runs on the calling thread (tests of handlers).
    Exchange(HttpRequest request, std::string request_id, Send send,
             std::shared_ptr<Executor> executor = nullptr);
    ~Exchange();
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    const HttpRequest& request() const { return request_; }
    const std::string& id() const {
        return id_;
    }  ///< X-Request-Id, taken over or made (api-shapes rule 11).

    /// Sends the answer with the common headers. The second and later calls are ignored and counted
    /// as a bug.
    void answer(Response response);
    bool answered() const { return answered_; }

    /// Answers 101 and makes the connection a socket of `handler`; hooks see the 101. Throws
    /// Problem for a request that is no handshake.
    void upgrade(WebSocketHandlerPtr handler);
    using Upgrade = std::function<void(Response, WebSocketHandlerPtr)>;
    /// For the server: without it upgrade() is refused, as over a connection that cannot.
    void allow_upgrade(Upgrade upgrade) { upgrade_ = std::move(upgrade); }

    /// `hook` sees the answer before the common headers are added, on the thread that answers; the
    /// last one added runs first. For what belongs to every answer of a route: CORS, stored answers
    /// of Idempotency-Key, metrics. Not after answer().
    void before_answer(std::function<void(Response&)> hook);

    /// Runs `work` where a route says. False: that pool is full.
    bool post(RunsOn where, std::function<void()> work);

    /// Answers that came after the first, since the start of the process.
    static uint64_t late_answers();

    std::shared_ptr<const RouteEntry> route;    ///< Set by the router.
    std::map<std::string, std::string> params;  ///< Values of {name} in the path, decoded.
    Caller caller;
    bool empty_errors = false;  ///< The path belongs to a provider: errors have no body.

private:
    friend class RequestPipeline;
    HttpRequest request_;
    std::string id_;
    Send send_;
    Upgrade upgrade_;
    WebSocketHandlerPtr socket_;
    std::shared_ptr<Executor> executor_;
    std::shared_ptr<const void>
        stages_;  // Of the pipeline: a stage may go on after the server is gone.
    std::vector<std::function<void(Response&)>> hooks_;
    std::atomic<bool> answered_{false};
};

using Next = std::function<void(const ExchangePtr&)>;
/// A stage calls `next`, answers, or throws. It may call `next` later from another thread.
using Stage = std::function<void(const ExchangePtr&, const Next&)>;

/// Stages in order, then the route's handler. An exception from any of them goes to answer_error,
/// on whatever thread it is thrown.
class RequestPipeline {
public:
    RequestPipeline(std::initializer_list<Stage> stages)
        : stages_(std::make_shared<const std::vector<Stage>>(stages)) {}
    explicit RequestPipeline(std::vector<Stage> stages)
        : stages_(std::make_shared<const std::vector<Stage>>(std::move(stages))) {}
    void run(const ExchangePtr& exchange) const;

private:
    std::shared_ptr<const std::vector<Stage>> stages_;
};

/// Runs `work`; an exception becomes the exchange's answer, and plugin_timed_out where this thread
/// is lost in it. For callbacks that come on other threads (Store::write_async).
void answering_errors(const ExchangePtr& exchange, const std::function<void()>& work);

}  // namespace patchbay
