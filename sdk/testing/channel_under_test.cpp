// The test program's side of the test bench. Standard library only: it is compiled with the
// plugin's compiler, whichever that is.
#include <dlfcn.h>

#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/sink.hpp>
#include <stdexcept>

#include "bench.hpp"

namespace patchbay {
namespace {

// A bench answers with all that was logged or asked, which may be more than a plugin's answer.
constexpr size_t max_bench_answer = 256u << 20;

/// Never closed: the library has threads of its own libraries' making.
bench::Open open_bench() {
    static const auto open = [] {
        void* library = ::dlopen(PATCHBAY_TEST_BENCH, RTLD_NOW | RTLD_LOCAL);
        if (!library) throw std::runtime_error(::dlerror());
        void* symbol = ::dlsym(library, PATCHBAY_TEST_BENCH_SYMBOL);
        if (!symbol) throw std::runtime_error("not a test bench: " PATCHBAY_TEST_BENCH);
        return reinterpret_cast<bench::Open>(symbol);
    }();
    return open;
}

}  // namespace

struct Bench::Impl {
    Impl() {
        detail::StringSink error;
        const int32_t status = open_bench()(&player, &instance, error.sink());
        if (status != 0) detail::rethrow(status, error.text());
    }
    ~Impl() { instance.destroy(instance.self); }

    static int32_t play(void* self, uint32_t number, pb_bytes in, pb_sink out) {
        return detail::guarded(out, [&] {
            detail::deliver(out, static_cast<Impl*>(self)->played.at(number)(detail::view(in)));
        });
    }

    // Filled before the plugin may ask: host_answers() is told to the bench after it.
    std::map<uint32_t, std::function<std::string(std::string_view)>> played;
    pb_host player{sizeof(pb_host), PB_ABI_MINOR, this, &Impl::play};
    pb_instance instance{};
};

Bench::Bench() : impl_(std::make_unique<Impl>()) {}
Bench::~Bench() = default;

std::string Bench::exchange(uint32_t number, std::string_view message) const {
    const pb_instance& bench = impl_->instance;
    detail::StringSink answer(max_bench_answer);
    const int32_t status = bench.call(bench.self, number, detail::borrow(message), answer.sink());
    if (status != 0) detail::rethrow(status, answer.text());
    return answer.text();
}

void Bench::play(uint32_t number, std::function<std::string(std::string_view)> answer) {
    impl_->played[number] = std::move(answer);
    tell(bench::play, number);
}

ChannelUnderTest::ChannelUnderTest(const std::string& plugin, Labels config) {
    bench_.tell(bench::start, plugin, std::string(PATCHBAY_PLUGINS), config);
}

void ChannelUnderTest::provider_answers(int status, std::string body, Labels headers) {
    bench_.tell(bench::provider_answers,
                bench::Answer{status, std::move(body), std::move(headers)});
}
void ChannelUnderTest::provider_answers_next(int status, std::string body, Labels headers) {
    bench_.tell(bench::provider_answers_next,
                bench::Answer{status, std::move(body), std::move(headers)});
}
void ChannelUnderTest::provider_answers_to(const std::string& part, int status, std::string body,
                                           Labels headers) {
    bench_.tell(bench::provider_answers_to, part,
                bench::Answer{status, std::move(body), std::move(headers)});
}
void ChannelUnderTest::provider_hangs_up() {
    bench_.tell(bench::provider_answers, bench::Answer{.hangs_up = true});
}
void ChannelUnderTest::provider_is_gone() { bench_.tell(bench::provider_is_gone); }
std::vector<ProviderRequest> ChannelUnderTest::provider_requests() const {
    return bench_.ask<std::vector<ProviderRequest>>(bench::provider_requests);
}
ProviderRequest ChannelUnderTest::last_provider_request() const {
    const auto all = provider_requests();
    if (all.empty()) throw std::logic_error("the provider was not asked");
    return all.back();
}

Capabilities ChannelUnderTest::capabilities() {
    return bench_.ask<Capabilities>(method::capabilities);
}
SendResult ChannelUnderTest::send(const OutboundMessage& message) {
    return bench_.ask<SendResult>(method::send, call_, message);
}
std::optional<SendResult> ChannelUnderTest::look_up(const OutboundMessage& message) {
    return bench_.ask<std::optional<SendResult>>(method::look_up, call_, message);
}
std::vector<Event> ChannelUnderTest::list_since(int64_t since_ms) {
    return bench_.ask<std::vector<Event>>(method::list_since, call_, since_ms);
}
void ChannelUnderTest::mark_read(const Mark& mark) { bench_.tell(method::mark_read, call_, mark); }
void ChannelUnderTest::typing(const Mark& mark) { bench_.tell(method::typing, call_, mark); }

std::vector<Route> ChannelUnderTest::routes() {
    return bench_.ask<std::vector<Route>>(method::routes);
}
Request ChannelUnderTest::filled(Request request) {
    if (request.method.empty()) request.method = "POST";
    if (request.url.empty()) request.url = "https://hub.example/hooks/under_test/" + request.route;
    if (request.id.empty()) request.id = "request-" + std::to_string(++last_request_);
    if (request.received_ms == 0) request.received_ms = now_ms();
    return request;
}
bool ChannelUnderTest::is_authentic(const Request& request) {
    return bench_.ask<bool>(method::is_authentic, call_, filled(request));
}
std::vector<Event> ChannelUnderTest::receive(Request request) {
    return bench_.ask<std::vector<Event>>(method::receive, call_, filled(std::move(request)));
}
std::vector<Event> ChannelUnderTest::receive(const std::string& route, const std::string& body) {
    return receive(Request{.route = route, .body = body});
}
Response ChannelUnderTest::respond(Request request) {
    return bench_.ask<Response>(method::respond, call_, filled(std::move(request)));
}

std::vector<StepInfo> ChannelUnderTest::steps() {
    return bench_.ask<std::vector<StepInfo>>(method::steps);
}
StepResult ChannelUnderTest::run(const StepInput& input) {
    return bench_.ask<StepResult>(method::run, call_, input);
}
std::vector<ApiRoute> ChannelUnderTest::api_routes() {
    return bench_.ask<std::vector<ApiRoute>>(method::api_routes);
}
Response ChannelUnderTest::answer(const Request& request) {
    return bench_.ask<Response>(method::answer, call_, filled(request));
}
std::vector<OperationInfo> ChannelUnderTest::operations() {
    return bench_.ask<std::vector<OperationInfo>>(method::operations);
}
std::string ChannelUnderTest::perform(const OperationInput& input) {
    return bench_.ask<std::string>(method::perform, call_, input);
}
std::vector<SocketRoute> ChannelUnderTest::socket_routes() {
    return bench_.ask<std::vector<SocketRoute>>(method::socket_routes);
}
SocketReply ChannelUnderTest::socket_opened(const SocketMessage& socket) {
    return bench_.ask<SocketReply>(method::socket_opened, call_, socket);
}
SocketReply ChannelUnderTest::socket_message(const SocketMessage& message) {
    return bench_.ask<SocketReply>(method::socket_message, call_, message);
}
std::vector<std::string> ChannelUnderTest::topics() {
    return bench_.ask<std::vector<std::string>>(method::topics);
}
void ChannelUnderTest::handle(const Event& event) { bench_.tell(method::handle, call_, event); }
Health ChannelUnderTest::health() { return bench_.ask<Health>(method::health, call_); }
void ChannelUnderTest::on_timer(const std::string& name, const std::string& payload) {
    bench_.tell(method::on_timer, name, payload);
}
void ChannelUnderTest::on_task(const std::string& name, const std::string& payload) {
    bench_.tell(method::on_task, name, payload);
}
bool ChannelUnderTest::provides(const std::string& interface_id) {
    return bench_.ask<bool>(bench::provides, interface_id);
}

detail::Schema ChannelUnderTest::config_schema() const {
    return bench_.ask<detail::Schema>(bench::schema);
}

int64_t ChannelUnderTest::now_ms() const { return bench_.ask<int64_t>(bench::now); }
void ChannelUnderTest::pass_time(milliseconds by) { bench_.tell(bench::pass_time, by); }
std::vector<LogLine> ChannelUnderTest::log() const {
    std::vector<LogLine> lines;
    for (auto& one : bench_.ask<std::vector<bench::Line>>(bench::log))
        lines.push_back(std::move(one.line));
    return lines;
}
std::vector<Event> ChannelUnderTest::published() const {
    return bench_.ask<std::vector<Event>>(bench::published);
}
std::vector<std::pair<std::string, std::string>> ChannelUnderTest::pushed() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (auto& one : bench_.ask<std::vector<bench::Push>>(bench::pushed))
        all.emplace_back(std::move(one.topic), std::move(one.text));
    return all;
}
std::vector<std::string> ChannelUnderTest::timers() const {
    return bench_.ask<std::vector<std::string>>(bench::timers);
}
std::vector<std::string> ChannelUnderTest::tasks() const {
    return bench_.ask<std::vector<std::string>>(bench::tasks);
}
std::map<std::string, double> ChannelUnderTest::metrics() const {
    return bench_.ask<std::map<std::string, double>>(bench::metrics);
}
std::vector<std::string> ChannelUnderTest::labels() const {
    return bench_.ask<std::vector<std::string>>(bench::labels);
}
std::string ChannelUnderTest::stored(const std::string& key) const {
    return bench_.ask<wire::Bytes>(bench::stored, key).data;
}
void ChannelUnderTest::store(const std::string& key, const std::string& value) {
    bench_.tell(bench::store, key, wire::Bytes{value});
}
void ChannelUnderTest::host_answers(uint32_t method,
                                    std::function<std::string(std::string_view)> answer) {
    bench_.play(method, std::move(answer));
}

}  // namespace patchbay
