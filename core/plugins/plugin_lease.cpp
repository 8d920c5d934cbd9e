#include "plugins/plugin_lease.hpp"

#include <patchbay/detail/methods.hpp>

#include "base/log.hpp"
#include "base/metrics.hpp"

namespace patchbay {
namespace {

constexpr size_t max_events = 1'000;

const Family<Counter> calls_total{"patchbay_plugin_calls_total",
                                  "Calls into plugins; error is none or the kind of what was "
                                  "thrown.",
                                  {"instance", "call", "error"},
                                  2'000};
const Family<Histogram> call_seconds{
    "patchbay_plugin_call_seconds", "Calls into plugins.", {"instance", "call"}, 1'000};

const char* name_of(uint32_t method) {
    for (const method::Entry& entry : method::all)
        if (entry.number == method) return entry.name;
    return "other";
}

/// Counts one call of a plugin when it ends; one that overruns was counted then.
class CountedCall {
public:
    CountedCall(const std::string& instance, uint32_t method)
        : instance_(instance), call_(name_of(method)) {}
    ~CountedCall() {
        if (was_given_up_) return;
        call_seconds.with({instance_, call_}).observe(std::chrono::steady_clock::now() - began_);
        calls_total.with({instance_, call_, error_}).add();
    }
    CountedCall(const CountedCall&) = delete;
    CountedCall& operator=(const CountedCall&) = delete;
    void failed(const Error& error) {
        error_ = word(error.kind);
        was_given_up_ = error.code == Watchdog::overrun_code;
    }
    void failed() { error_ = word(ErrorKind::internal); }

private:
    const std::string& instance_;
    const std::string_view call_;
    std::string_view error_ = "none";
    bool was_given_up_ = false;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

[[noreturn]] void unsupported() {
    throw Error(ErrorKind::unsupported, "the plugin does not do this");
}

// C10: what the hub stores has to have these.
std::vector<Event> checked(std::vector<Event> events) {
    if (events.size() > max_events)
        throw Error(ErrorKind::internal, "the plugin made more than 1,000 events of one request");
    for (const Event& event : events)
        if (event.topic.empty() || event.dedupe_key.empty())
            throw Error(ErrorKind::internal,
                        "the plugin made an event without topic or dedupe_key");
    return events;
}

class Lease final : public PluginLease, private Callee {
public:
    Lease(std::shared_ptr<Generation> generation, Containment containment)
        : generation_(std::move(generation)), containment_(std::move(containment)) {}
    ~Lease() override { generation_->release(); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    const std::string& instance() const override { return generation_->instance(); }
    bool provides(std::string_view interface_id) const override {
        return generation_->provides(interface_id);
    }
    int64_t generation() const override { return generation_->number(); }
    bool is_running() const override {
        return generation_->state().condition == LoadedPlugin::Condition::running;
    }
    std::string secret(std::string_view key) override { return generation_->secret(key); }

    Capabilities capabilities() override { return generation_->capabilities(); }
    std::vector<Route> routes() override { return generation_->routes(); }
    bool is_authentic(const Call& call, const Request& request) override {
        return ask<bool>(method::is_authentic, call, request);
    }
    std::vector<Event> receive(const Call& call, const Request& request) override {
        return checked(ask<std::vector<Event>>(method::receive, call, request));
    }
    Response respond(const Call& call, const Request& request) override {
        return ask<Response>(method::respond, call, request);
    }
    SendResult send(const Call& call, const OutboundMessage& message) override {
        return ask<SendResult>(method::send, call, message);
    }
    std::optional<SendResult> look_up(const Call& call, const OutboundMessage& message) override {
        return ask<std::optional<SendResult>>(method::look_up, call, message);
    }
    std::vector<Event> list_since(const Call& call, int64_t since_ms) override {
        return checked(ask<std::vector<Event>>(method::list_since, call, since_ms));
    }
    void mark_read(const Call& call, const Mark& mark) override {
        tell(method::mark_read, call, mark);
    }
    void typing(const Call& call, const Mark& mark) override { tell(method::typing, call, mark); }
    std::vector<StepInfo> steps() override { return ask<std::vector<StepInfo>>(method::steps); }
    StepResult run(const Call& call, const StepInput& input) override {
        return ask<StepResult>(method::run, call, input);
    }
    std::vector<ApiRoute> api_routes() override {
        return ask<std::vector<ApiRoute>>(method::api_routes);
    }
    Response answer(const Call& call, const Request& request) override {
        return ask<Response>(method::answer, call, request);
    }
    Health health(const Call& call) override { return ask<Health>(method::health, call); }
    std::vector<std::string> topics() override { return generation_->topics(); }
    void handle(const Call& call, const Event& event) override {
        tell(method::handle, call, event);
    }
    std::vector<OperationInfo> operations() override {
        return ask<std::vector<OperationInfo>>(method::operations);
    }
    std::string perform(const Call& call, const OperationInput& input) override {
        return ask<std::string>(method::perform, call, input);
    }
    std::vector<SocketRoute> socket_routes() override { return generation_->socket_routes(); }
    SocketReply socket_opened(const Call& call, const SocketMessage& message) override {
        return ask<SocketReply>(method::socket_opened, call, message);
    }
    SocketReply socket_message(const Call& call, const SocketMessage& message) override {
        return ask<SocketReply>(method::socket_message, call, message);
    }
    void socket_closed(const Call& call, const SocketMessage& message) override {
        tell(method::socket_closed, call, message);
    }
    void on_timer(std::string_view name, std::string_view payload) override {
        tell(method::on_timer, name, payload);
    }
    void on_task(std::string_view name, std::string_view payload) override {
        tell(method::on_task, name, payload);
    }

private:
    template <class Out, class... In>
    Out ask(uint32_t method, const In&... in) {
        return watched(method, time_for(method, in...),
                       [&] { return generation_->ask<Out>(method, in...); });
    }
    template <class... In>
    void tell(uint32_t method, const In&... in) {
        watched(method, time_for(method, in...), [&] { return generation_->tell(method, in...); });
    }
    template <class Work>
    auto watched(uint32_t method, std::chrono::milliseconds allowed, Work&& work) {
        CountedCall call{generation_->instance(), method};
        try {
            if (generation_->can_end_calls()) return work();
            return containment_.watchdog->watch(*this, method, allowed, work);
        } catch (const Error& error) {
            call.failed(error);
            throw;
        } catch (...) {
            call.failed();
            throw;
        }
    }

    void thread_lost(uint32_t method, bool to_blame) noexcept override {
        const std::string& instance = generation_->instance();
        log_error("plugins", "a call does not come back, its thread is given up",
                  {{"instance", instance}, {"call", name_of(method)}});
        calls_total.with({instance, name_of(method), word(ErrorKind::timed_out)}).add();
        generation_->lease_lost();
        if (!to_blame) return;
        containment_.lost->lost(generation_->number(), name_of(method),
                                std::chrono::steady_clock::now());
    }
    void thread_back(uint32_t method, bool was_to_blame) noexcept override {
        log_warn("plugins", "a thread that was given up came back",
                 {{"instance", generation_->instance()}, {"call", name_of(method)}});
        generation_->lease_found();
        if (was_to_blame) containment_.lost->back();
    }

    std::shared_ptr<Generation> generation_;
    const Containment containment_;
};

}  // namespace

PluginLeasePtr lease_of(std::shared_ptr<Generation> generation, Containment containment) {
    if (!generation || !generation->acquire()) return nullptr;
    try {
        return std::make_shared<Lease>(generation, std::move(containment));
    } catch (...) {
        generation->release();
        throw;
    }
}

void PluginLease::mark_read(const Call&, const Mark&) { unsupported(); }
void PluginLease::typing(const Call&, const Mark&) { unsupported(); }
std::vector<std::string> PluginLease::topics() { unsupported(); }
void PluginLease::handle(const Call&, const Event&) { unsupported(); }
std::vector<OperationInfo> PluginLease::operations() { unsupported(); }
std::string PluginLease::perform(const Call&, const OperationInput&) { unsupported(); }
std::vector<SocketRoute> PluginLease::socket_routes() { unsupported(); }
SocketReply PluginLease::socket_opened(const Call&, const SocketMessage&) { unsupported(); }
SocketReply PluginLease::socket_message(const Call&, const SocketMessage&) { unsupported(); }
void PluginLease::socket_closed(const Call&, const SocketMessage&) { unsupported(); }
void PluginLease::on_timer(std::string_view, std::string_view) { unsupported(); }
void PluginLease::on_task(std::string_view, std::string_view) { unsupported(); }

}  // namespace patchbay
