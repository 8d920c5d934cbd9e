#include "http/exchange.hpp"

#include "base/abandonable.hpp"
#include "base/log.hpp"
#include "base/trace.hpp"
#include "http/problem.hpp"
#include "http/response_writer.hpp"

namespace patchbay {
namespace {

const Family<Gauge> websockets{"patchbay_websockets", "Open WebSockets.", {"endpoint"}};

std::atomic<uint64_t> late_answer_count{0};

// The exchange whose stages run on this thread: its exceptions have somebody above who catches
// them.
thread_local const Exchange* running = nullptr;

class RunningHere {
public:
    explicit RunningHere(const Exchange* exchange)
        : before_(running), log_scope_(exchange->id(), exchange->request().trace) {
        running = exchange;
    }
    ~RunningHere() { running = before_; }
    RunningHere(const RunningHere&) = delete;
    RunningHere& operator=(const RunningHere&) = delete;

private:
    const Exchange* before_;
    const LogScope log_scope_;
};

void run_from(const std::vector<Stage>& stages, size_t index, const ExchangePtr& exchange) {
    if (index == stages.size()) {
        if (!exchange->route) throw Problem("unknown_path");
        return exchange->route->handler(exchange);
    }
    // The exchange keeps the stages alive, so a plain pointer is enough and fits std::function
    // without a heap block.
    stages[index](exchange, [stages = &stages, index](const ExchangePtr& next) {
        if (running == next.get()) return run_from(*stages, index + 1, next);
        answering_errors(next, [&] { run_from(*stages, index + 1, next); });
    });
}

}  // namespace

Exchange::Exchange(HttpRequest request, std::string request_id, Send send,
                   std::shared_ptr<Executor> executor)
    : request_(std::move(request)),
      id_(std::move(request_id)),
      send_(std::move(send)),
      executor_(std::move(executor)) {
    request_.trace = accepted_traceparent(request_.header("traceparent").value_or(""));
    if (request_.trace.empty()) request_.trace = new_traceparent();
}

Exchange::~Exchange() {
    if (answered_) return;
    const LogScope scope(id_, request_.trace);
    log_error("http", "a handler ended without an answer",
              {{"route", route ? route->spec.name : ""}});
    try {
        answer(problem_response(Problem("internal"), id_, empty_errors));
    } catch (const std::exception& error) {
        log_error("http", "no answer could be made", {{"error", error.what()}});
    }
}

void Exchange::answer(Response response) {
    if (answered_.exchange(true)) {
        ++late_answer_count;
        const LogScope scope(id_, request_.trace);
        log_error("http", "a second answer was dropped",
                  {{"route", route ? route->spec.name : ""}});
        return;
    }
    try {
        for (auto hook = hooks_.rbegin(); hook != hooks_.rend(); ++hook) (*hook)(response);
    } catch (const std::exception& error) {
        const LogScope scope(id_, request_.trace);
        log_error("http", "a hook of an answer threw", {{"error", error.what()}});
        response = problem_response(Problem("internal"), id_, empty_errors);
        socket_ = nullptr;
    }
    hooks_.clear();  // One that holds the exchange would keep it for ever.
    response.headers["x-request-id"] = id_;
    if (request_.path.starts_with("/api") && !find_header(response.headers, "Cache-Control"))
        response.headers["cache-control"] = "no-store";
    if (socket_) return upgrade_(std::move(response), std::move(socket_));
    send_(std::move(response));
}

void Exchange::upgrade(WebSocketHandlerPtr handler) {
    const std::string accept = require_handshake(request_);
    if (!upgrade_) throw Problem("upgrade_required", "This connection cannot become a WebSocket.");
    socket_ = std::move(handler);
    socket_->open_sockets = &websockets.with({route ? route->spec.name : "none"});
    answer({.status = 101, .headers = {{"sec-websocket-accept", accept}}});
}

void Exchange::before_answer(std::function<void(Response&)> hook) {
    hooks_.push_back(std::move(hook));
}

bool Exchange::post(RunsOn where, std::function<void()> work) {
    if (executor_ && where != RunsOn::reactor) return executor_->post(where, std::move(work));
    work();
    return true;
}

uint64_t Exchange::late_answers() { return late_answer_count; }

void RequestPipeline::run(const ExchangePtr& exchange) const {
    exchange->stages_ = stages_;
    answering_errors(exchange, [&] { run_from(*stages_, 0, exchange); });
}

void answering_errors(const ExchangePtr& exchange, const std::function<void()>& work) {
    const Abandonable answers{[&exchange](Rest& rest) {
        if (exchange->answered()) return;
        rest.emplace_back([exchange = exchange] {
            answer_error(exchange, std::make_exception_ptr(Problem("plugin_timed_out")));
        });
    }};
    try {
        const RunningHere here(exchange.get());
        work();
    } catch (...) {
        if (this_thread_is_lost()) return;  // It was answered without us.
        answer_error(exchange, std::current_exception());
    }
}

}  // namespace patchbay
