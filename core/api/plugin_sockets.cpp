#include "api/plugin_sockets.hpp"

#include <pthread.h>

#include "api/live_events.hpp"
#include "api/roles.hpp"
#include "base/log.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"
#include "identity/access.hpp"
#include "identity/ws_tickets.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr unsigned threads = 16;
constexpr size_t max_sockets_waiting = 10'000;  // With something to be heard, of each instance.
constexpr size_t max_messages_waiting = 64;     // Of each socket.
constexpr size_t max_topics = 200;              // Of each socket.
constexpr size_t max_recent = 1'000;
constexpr auto clock_interval = 250ms;  // How late a credential may end.
constexpr std::chrono::seconds unavailable_for{30};
constexpr std::string_view reloaded = "retry_in=1", switched_off = "retry_in=5";

bool is_public(const SocketRoute& route) {
    return std::find(route.callers.begin(), route.callers.end(), "public") != route.callers.end();
}

// What a plugin threw, as the client is to see it.
std::pair<uint16_t, std::string> close_for(const Error& error) {
    switch (error.kind) {
        case ErrorKind::unauthorized:
            return {close_code::signed_out, "sign in"};
        case ErrorKind::forbidden:
            return {close_code::not_allowed, "not allowed"};
        case ErrorKind::request:
            return {close_code::policy, "not understood"};
        case ErrorKind::stopping:
        case ErrorKind::unavailable:
        case ErrorKind::rate_limited:
            return {close_code::try_again_later, "busy"};
        default:
            return {close_code::internal, "internal error"};
    }
}

}  // namespace

struct PluginSockets::Work {
    enum class Kind { opened, message, closed } kind;
    std::string text{};
};

/// One socket. What changes is guarded by PluginSockets::mutex_.
struct PluginSockets::Line {
    const std::string id, instance;
    const SocketRoute route;
    const Caller caller;
    const std::map<std::string, std::string> params;

    WebSocketPtr socket{};
    int64_t generation = 0;  // Whose it is; 0: nobody has heard of it yet.
    std::set<std::string> topics{};
    std::deque<Work> waiting{};
    bool working = false, ended = false;
};

/// The reactor's side.
class PluginSockets::Ear final : public WebSocketHandler {
public:
    Ear(PluginSockets& sockets, LinePtr line) : sockets_(sockets), line_(std::move(line)) {}

    void on_open(const WebSocketPtr& socket) override {
        {
            const std::lock_guard lock(sockets_.mutex_);
            line_->socket = socket;
            sockets_.lines_[line_->id] = line_;
            if (line_->caller.expires_at != 0) {
                sockets_.deadlines_.insert({line_->caller.expires_at, line_->id});
                sockets_.changed_.notify_one();
            }
        }
        sockets_.add_work(line_, {.kind = Work::Kind::opened});
    }
    void on_message(std::string text) override {
        if (text.size() > line_->route.max_message_bytes)
            return line_->socket->close(close_code::too_large, "the message is too large");
        sockets_.add_work(line_, {.kind = Work::Kind::message, .text = std::move(text)});
    }
    void on_close(uint16_t) override {
        {
            const std::lock_guard lock(sockets_.mutex_);
            sockets_.forget(line_);
        }
        sockets_.add_work(line_, {.kind = Work::Kind::closed});
    }

private:
    PluginSockets& sockets_;
    const LinePtr line_;
};

PluginSockets::PluginSockets(Parts parts)
    : parts_(parts),
      pool_("plugin-sockets", threads, max_sockets_waiting),
      clock_([this] { watch_clock(); }) {
    pthread_setname_np(clock_.native_handle(), "plugin-sockets");
}

PluginSockets::~PluginSockets() { stop(); }

void PluginSockets::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_one();
    }
    if (clock_.joinable()) clock_.join();
    pool_.stop();
}

// ---- who comes in ----

Caller PluginSockets::who_asks(const HttpRequest& request, const SocketRoute& route) {
    const Query query = Query::parse(request.query);
    if (const auto ticket = query.find("ticket"))
        return use_ws_ticket(parts_.identity.store(), *ticket);
    const auto token = query.find("token");
    // A token in a URL ends up in logs and histories.
    if (token && !route.token_in_query)
        throw Problem("unknown_parameter", "This path takes no token in its query.");
    if (token) return caller_by_token(parts_.identity, *token);
    Caller caller = parts_.identity.caller_of(request);
    if (caller.by_cookie) parts_.identity.own_pages().require(request);
    return caller;
}

void PluginSockets::open(const ExchangePtr& exchange, const std::string& instance,
                         const SocketRoute& route) {
    Caller caller;
    try {
        caller = who_asks(exchange->request(), route);
    } catch (const Problem& problem) {
        // Bad credentials are none where none are asked for.
        if (!is_public(route) || problem.status != 401) throw;
    }
    require_role(caller, roles::of_plugin(route.callers, ""));
    const auto info = parts_.plugins.find(instance);
    if (!info || info->state != InstanceState::active)
        throw Problem("channel_unavailable").retry_after(unavailable_for);
    auto line = std::make_shared<Line>(Line{.id = parts_.ids.uuid(),
                                            .instance = instance,
                                            .route = route,
                                            .caller = std::move(caller),
                                            .params = exchange->params});
    exchange->upgrade(std::make_shared<Ear>(*this, std::move(line)));
}

RouteEntry PluginSockets::entry_for(const std::string& instance, const SocketRoute& route) {
    // Public to the pipeline, which knows neither tickets nor tokens in the query.
    RouteSpec spec{.name = instance + "." + route.name,
                   .method = "GET",
                   .path = route.path,
                   .roles = {"public"},
                   .socket = true,
                   .about = route.about};
    return {std::move(spec), [this, instance, route](const ExchangePtr& exchange) {
                open(exchange, instance, route);
            }};
}

std::vector<TakenRoute> PluginSockets::publish(const std::string& instance) {
    std::vector<RouteEntry> entries;
    for (const SocketRoute& route : parts_.plugins.socket_routes(instance))
        entries.push_back(entry_for(instance, route));
    return parts_.router.replace_free(instance + "/sockets", std::move(entries));
}

void PluginSockets::withdraw(const std::string& instance) {
    parts_.router.replace(instance + "/sockets", {});
}

// ---- calls into the plugin ----

void PluginSockets::add_work(const LinePtr& line, Work work) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || (line->ended && work.kind != Work::Kind::closed)) return;
        if (line->waiting.size() >= max_messages_waiting && work.kind == Work::Kind::message)
            return hang_up(*line, close_code::try_again_later, "too many messages are waiting");
        line->waiting.push_back(std::move(work));
        if (std::exchange(line->working, true)) return;
    }
    if (pool_.post(line->instance, [this, line] { work_off(line); })) return;
    const std::lock_guard lock(mutex_);
    line->working = false;
    hang_up(*line, close_code::try_again_later, "busy");
}

// One, then the other sockets' turn.
void PluginSockets::work_off(const LinePtr& line) {
    for (;;) {
        Work work{};
        {
            const std::lock_guard lock(mutex_);
            if (line->waiting.empty()) {
                line->working = false;
                return;
            }
            work = std::move(line->waiting.front());
            line->waiting.pop_front();
        }
        do_work(line, work);
        const bool goes_on = [&] {
            const std::lock_guard lock(mutex_);
            return !line->waiting.empty();
        }();
        if (goes_on && pool_.post(line->instance, [this, line] { work_off(line); })) return;
    }
}

void PluginSockets::do_work(const LinePtr& line, const Work& work) {
    uint64_t began = 0;
    {
        const std::lock_guard lock(mutex_);
        Recent& recent = instances_[line->instance].recent;
        ++recent.calls;
        began = recent.next();
    }
    std::optional<SocketReply> reply;
    try {
        reply = ask(line, work);
        if (reply && reply->close != 0 && !may_close(reply->close, reply->reason))
            throw Error(ErrorKind::internal, "the plugin closed with a code that is not its own");
    } catch (const Error& error) {
        const auto [code, reason] = close_for(error);
        if (code == close_code::internal)
            log_warn("api", "a plugin failed at a socket",
                     {{"instance", line->instance}, {"reason", error.what()}});
        const std::lock_guard lock(mutex_);
        hang_up(*line, code, reason);
    }
    const std::lock_guard lock(mutex_);
    if (reply) obey(line, std::move(*reply), began);
    Recent& recent = instances_[line->instance].recent;
    if (--recent.calls > 0) return;
    recent.first = recent.next();
    recent.pushes.clear();
}

// nullopt: there is nothing to answer.
std::optional<SocketReply> PluginSockets::ask(const LinePtr& line, const Work& work) {
    const PluginLeasePtr plugin = parts_.plugins.lease(line->instance);
    {
        const std::lock_guard lock(mutex_);
        const int64_t serves = plugin ? plugin->generation() : 0;
        if (work.kind == Work::Kind::opened && serves == instances_[line->instance].generation)
            line->generation = serves;
        if (serves == 0 || line->generation != serves) {
            hang_up(*line, close_code::going_away, std::string(reloaded));
            return std::nullopt;
        }
    }
    const Call call{.left = 1s};
    SocketMessage message{.socket = line->id,
                          .route = line->route.name,
                          .text = work.text,
                          .user = line->caller.id,
                          .params = line->params,
                          .role = line->caller.role,
                          .departments = line->caller.departments};
    switch (work.kind) {
        case Work::Kind::opened:
            return plugin->socket_opened(call, message);
        case Work::Kind::message:
            return plugin->socket_message(call, message);
        case Work::Kind::closed:
            plugin->socket_closed(call, message);
            return std::nullopt;
    }
    return std::nullopt;
}

void PluginSockets::obey(const LinePtr& line, SocketReply reply, uint64_t call_began) {
    if (line->ended) return;
    Instance& own = instances_[line->instance];
    std::set<std::string> joined;
    for (const std::string& topic : reply.join) {
        if (line->topics.contains(topic)) continue;
        join(own, line, topic);
        joined.insert(topic);
    }
    for (const std::string& topic : reply.leave) leave(own, line, topic);
    if (line->topics.size() > max_topics)
        return hang_up(*line, close_code::policy, "too many topics");
    for (std::string& text : reply.messages) line->socket->send(std::move(text));
    const Recent& recent = own.recent;
    if (!joined.empty() && call_began < recent.first)
        return hang_up(*line, close_code::try_again_later, "too much was pushed meanwhile");
    for (uint64_t i = std::max(call_began, recent.first); i < recent.next(); ++i) {
        const Recent::Push& push = recent.pushes[i - recent.first];
        if (joined.contains(push.topic)) line->socket->send({}, push.text);
    }
    if (reply.close != 0) hang_up(*line, static_cast<uint16_t>(reply.close), reply.reason);
}

// ---- lines and topics ----

void PluginSockets::join(Instance& own, const LinePtr& line, const std::string& topic) {
    line->topics.insert(topic);
    own.topics[topic].insert(line);
}

void PluginSockets::leave(Instance& own, const LinePtr& line, const std::string& topic) {
    line->topics.erase(topic);
    const auto found = own.topics.find(topic);
    if (found == own.topics.end()) return;
    found->second.erase(line);
    if (found->second.empty()) own.topics.erase(found);
}

void PluginSockets::forget(const LinePtr& line) {
    line->ended = true;
    Instance& own = instances_[line->instance];
    for (const std::string& topic : std::set(line->topics)) leave(own, line, topic);
    deadlines_.erase({line->caller.expires_at, line->id});
    lines_.erase(line->id);
}

// The reactor tells when it has closed; then the line is forgotten.
void PluginSockets::hang_up(Line& line, uint16_t code, const std::string& reason) {
    if (!std::exchange(line.ended, true) && line.socket) line.socket->close(code, reason);
}

PluginSockets::LinePtr PluginSockets::find(const std::string& instance,
                                           const std::string& socket) const {
    const auto found = lines_.find(socket);
    if (found == lines_.end() || found->second->instance != instance) return nullptr;
    return found->second;
}

void PluginSockets::switched(const std::string& instance, int64_t generation) {
    const std::lock_guard lock(mutex_);
    instances_[instance].generation = generation;
    for (const auto& [id, line] : lines_) {
        if (line->instance != instance || line->generation == 0) continue;
        if (line->generation != generation)
            hang_up(*line, close_code::going_away,
                    std::string(generation == 0 ? switched_off : reloaded));
    }
}

void PluginSockets::end_user(const std::string& user, const std::string& credential, uint16_t code,
                             const std::string& reason) {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, line] : lines_) {
        if (line->caller.id != user) continue;
        if (credential.empty() || line->caller.credential == credential)
            hang_up(*line, code, reason);
    }
}

void PluginSockets::watch_clock() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (deadlines_.empty())
            changed_.wait(lock, [&] { return stopping_ || !deadlines_.empty(); });
        else
            changed_.wait_for(lock, clock_interval, [&] { return stopping_; });
        const TimeMs now = parts_.identity.clock().now_ms();
        while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
            const auto found = lines_.find(deadlines_.begin()->second);
            if (found != lines_.end())
                hang_up(*found->second, close_code::signed_out, "the token has expired");
            deadlines_.erase(deadlines_.begin());
        }
    }
}

// ---- sockets/1 ----

void PluginSockets::push(const std::string& instance, const std::string& topic,
                         const std::string& text) {
    const auto shared = std::make_shared<const std::string>(text);
    const std::lock_guard lock(mutex_);
    Instance& own = instances_[instance];
    if (own.recent.calls > 0) {
        own.recent.pushes.push_back({topic, shared});
        if (own.recent.pushes.size() > max_recent) {
            own.recent.pushes.pop_front();
            ++own.recent.first;
        }
    }
    const auto found = own.topics.find(topic);
    if (found == own.topics.end()) return;
    for (const LinePtr& line : found->second) line->socket->send({}, shared);
}

void PluginSockets::push_to(const std::string& instance, const std::string& socket,
                            std::string text) {
    const std::lock_guard lock(mutex_);
    const LinePtr line = find(instance, socket);
    if (line && line->socket) line->socket->send(std::move(text));
}

void PluginSockets::close(const std::string& instance, const std::string& socket, int code,
                          const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (const LinePtr line = find(instance, socket))
        hang_up(*line, static_cast<uint16_t>(code), reason);
}

uint32_t PluginSockets::listeners(const std::string& instance, const std::string& topic) const {
    const std::lock_guard lock(mutex_);
    const auto own = instances_.find(instance);
    if (own == instances_.end()) return 0;
    const auto found = own->second.topics.find(topic);
    return found == own->second.topics.end() ? 0 : static_cast<uint32_t>(found->second.size());
}

}  // namespace patchbay
