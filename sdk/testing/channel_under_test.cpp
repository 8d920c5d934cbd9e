#include <stdlib.h>

#include <filesystem>
#include <patchbay/testing.hpp>
#include <stdexcept>

#include "plugins/plugin_host.hpp"
#include "provider_double.hpp"
#include "test_services.hpp"

namespace patchbay {
namespace {

constexpr const char* instance_name = "under_test";

// A folder of this process's own, removed at the end.
class ScratchFolder {
public:
    ScratchFolder() {
        std::string name =
            (std::filesystem::temp_directory_path() / "patchbay_test_XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("no scratch folder");
        path = name;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
};

HubConfig hub_config(const std::string& plugin, Labels values,
                     const std::filesystem::path& folder) {
    HubConfig config;
    config.file = folder / "patchbay.yaml";
    config.base = folder;
    config.plugin_path = {PATCHBAY_PLUGINS};
    InstanceConfig instance;
    instance.name = instance_name;
    instance.plugin = plugin;
    instance.config = std::move(values);
    config.plugins.push_back(std::move(instance));
    return config;
}

}  // namespace

struct ChannelUnderTest::Impl {
    Impl(const std::string& plugin, Labels values)
        : services(provider),
          host(hub_config(plugin, std::move(values), folder.path), services.services,
               folder.path / "plugins") {
        host.start();
        const InstanceInfo info = *host.find(instance_name);
        if (info.state != InstanceState::active) throw Error(ErrorKind::config, info.last_error);
    }
    PluginLeasePtr lease() const {
        auto lease = host.lease(instance_name);
        if (!lease) throw std::logic_error("the plugin is not active");
        return lease;
    }
    Request filled(Request request) {
        if (request.method.empty()) request.method = "POST";
        if (request.url.empty())
            request.url = "https://hub.example/hooks/under_test/" + request.route;
        if (request.id.empty()) request.id = "request-" + std::to_string(++last_request);
        if (request.received_ms == 0) request.received_ms = services.clock.now_ms();
        return request;
    }

    ScratchFolder folder;
    ProviderDouble provider;
    TestServices services;
    PluginHost host;
    Call call{.trace = "test"};
    uint64_t last_request = 0;
};

ChannelUnderTest::ChannelUnderTest(const std::string& plugin, Labels config)
    : impl_(std::make_unique<Impl>(plugin, std::move(config))) {}
ChannelUnderTest::~ChannelUnderTest() = default;

void ChannelUnderTest::provider_answers(int status, std::string body, Labels headers) {
    impl_->provider.answer_always({status, std::move(body), std::move(headers)});
}
void ChannelUnderTest::provider_answers_next(int status, std::string body, Labels headers) {
    impl_->provider.answer_next({status, std::move(body), std::move(headers)});
}
void ChannelUnderTest::provider_answers_to(const std::string& part, int status, std::string body,
                                           Labels headers) {
    impl_->provider.answer_to(part, {status, std::move(body), std::move(headers)});
}
void ChannelUnderTest::provider_hangs_up() { impl_->provider.answer_always({.hangs_up = true}); }
void ChannelUnderTest::provider_is_gone() { impl_->provider.go_away(); }
std::vector<ProviderRequest> ChannelUnderTest::provider_requests() const {
    return impl_->provider.requests();
}
ProviderRequest ChannelUnderTest::last_provider_request() const {
    const auto all = impl_->provider.requests();
    if (all.empty()) throw std::logic_error("the provider was not asked");
    return all.back();
}

Capabilities ChannelUnderTest::capabilities() { return impl_->lease()->capabilities(); }
SendResult ChannelUnderTest::send(const OutboundMessage& message) {
    return impl_->lease()->send(impl_->call, message);
}
std::optional<SendResult> ChannelUnderTest::look_up(const OutboundMessage& message) {
    return impl_->lease()->look_up(impl_->call, message);
}
std::vector<Event> ChannelUnderTest::list_since(int64_t since_ms) {
    return impl_->lease()->list_since(impl_->call, since_ms);
}
void ChannelUnderTest::mark_read(const Mark& mark) { impl_->lease()->mark_read(impl_->call, mark); }
void ChannelUnderTest::typing(const Mark& mark) { impl_->lease()->typing(impl_->call, mark); }
std::vector<Route> ChannelUnderTest::routes() { return impl_->lease()->routes(); }
bool ChannelUnderTest::is_authentic(const Request& request) {
    return impl_->lease()->is_authentic(impl_->call, impl_->filled(request));
}
std::vector<Event> ChannelUnderTest::receive(Request request) {
    return impl_->lease()->receive(impl_->call, impl_->filled(std::move(request)));
}
std::vector<Event> ChannelUnderTest::receive(const std::string& route, const std::string& body) {
    return receive(Request{.route = route, .body = body});
}
Response ChannelUnderTest::respond(Request request) {
    return impl_->lease()->respond(impl_->call, impl_->filled(std::move(request)));
}
std::vector<StepInfo> ChannelUnderTest::steps() { return impl_->lease()->steps(); }
StepResult ChannelUnderTest::run(const StepInput& input) {
    return impl_->lease()->run(impl_->call, input);
}
std::vector<ApiRoute> ChannelUnderTest::api_routes() { return impl_->lease()->api_routes(); }
Response ChannelUnderTest::answer(const Request& request) {
    return impl_->lease()->answer(impl_->call, impl_->filled(request));
}
std::vector<OperationInfo> ChannelUnderTest::operations() { return impl_->lease()->operations(); }
std::string ChannelUnderTest::perform(const OperationInput& input) {
    return impl_->lease()->perform(impl_->call, input);
}
void ChannelUnderTest::handle(const Event& event) { impl_->lease()->handle(impl_->call, event); }
Health ChannelUnderTest::health() { return impl_->lease()->health(impl_->call); }
void ChannelUnderTest::on_timer(const std::string& name, const std::string& payload) {
    impl_->lease()->on_timer(name, payload);
}
void ChannelUnderTest::on_task(const std::string& name, const std::string& payload) {
    impl_->lease()->on_task(name, payload);
}
bool ChannelUnderTest::provides(const std::string& interface_id) {
    return impl_->lease()->provides(interface_id);
}

int64_t ChannelUnderTest::now_ms() const { return impl_->services.clock.now_ms(); }
void ChannelUnderTest::pass_time(milliseconds by) { impl_->services.clock.advance(by); }
std::vector<LogLine> ChannelUnderTest::log() const { return impl_->services.seen().log; }
std::vector<Event> ChannelUnderTest::published() const { return impl_->services.seen().published; }
std::vector<std::string> ChannelUnderTest::timers() const { return impl_->services.seen().timers; }
std::vector<std::string> ChannelUnderTest::tasks() const { return impl_->services.seen().tasks; }
std::map<std::string, double> ChannelUnderTest::metrics() const {
    return impl_->services.seen().metrics;
}
std::vector<std::string> ChannelUnderTest::labels() const { return impl_->services.seen().labels; }
std::string ChannelUnderTest::stored(const std::string& key) const {
    return impl_->services.stored(key);
}
void ChannelUnderTest::store(const std::string& key, const std::string& value) {
    impl_->services.store(key, value);
}
void ChannelUnderTest::host_answers(uint32_t method,
                                    std::function<std::string(std::string_view)> answer) {
    impl_->services.play(method, std::move(answer));
}

}  // namespace patchbay
