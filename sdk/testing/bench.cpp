// The library of the test bench: a plugin loaded as the hub loads it, over a provider and a host
// that the test directs. Linked against the hub's own libraries, whatever the test is built with.
#include "bench.hpp"

#include <stdlib.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <patchbay/detail/glue.hpp>
#include <stdexcept>

#include "plugins/plugin_host.hpp"
#include "provider_double.hpp"
#include "test_services.hpp"

namespace patchbay {
namespace {

constexpr const char* instance_name = "under_test";

// A folder of this bench's own, removed at the end.
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
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    std::filesystem::path path;
};

std::string content_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw Error(ErrorKind::not_found, file + " cannot be read");
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<bench::Sample> samples_of(const std::string& file) {
    std::vector<bench::Sample> samples;
    for (const InstanceConfig& one : parse_config(content_of(file), file).plugins)
        samples.push_back({one.name, one.plugin, one.config});
    return samples;
}

// Of a map in a list its name counts: what a plugin.yaml tells of a route beside it is for people.
std::string text_of(const YAML::Node& node) {
    if (node.IsMap() && node["name"]) return node["name"].as<std::string>();
    return node.IsScalar() ? node.Scalar() : "";
}

Labels manifest_of(const std::string& file) try {
    Labels texts;
    for (const auto& entry : YAML::Load(content_of(file))) {
        const auto key = entry.first.as<std::string>();
        texts[key] = text_of(entry.second);
        if (!entry.second.IsSequence()) continue;
        for (size_t i = 0; i < entry.second.size(); ++i)
            texts[key + "[" + std::to_string(i) + "]"] = text_of(entry.second[i]);
        texts[key + "[]"] = std::to_string(entry.second.size());
    }
    return texts;
} catch (const YAML::Exception& error) {
    throw Error(ErrorKind::config, file + ": " + error.what());
}

/// The plugin as the hub's lease lets it be called.
class Passage final : public Channel,
                      public WebhookHandler,
                      public EventHandler,
                      public FlowSteps,
                      public HttpApi,
                      public OperationHandler,
                      public SocketHandler,
                      public HealthCheck {
public:
    explicit Passage(PluginLease& lease) : lease_(lease) {}

    Capabilities capabilities() const override { return lease_.capabilities(); }
    SendResult send(const Call& call, const OutboundMessage& message) override {
        return lease_.send(call, message);
    }
    std::optional<SendResult> look_up(const Call& call, const OutboundMessage& message) override {
        return lease_.look_up(call, message);
    }
    std::vector<Event> list_since(const Call& call, int64_t since_ms) override {
        return lease_.list_since(call, since_ms);
    }
    void mark_read(const Call& call, const Mark& mark) override { lease_.mark_read(call, mark); }
    void typing(const Call& call, const Mark& mark) override { lease_.typing(call, mark); }
    std::vector<Route> routes() const override { return lease_.routes(); }
    bool is_authentic(const Call& call, const Request& request) const override {
        return lease_.is_authentic(call, request);
    }
    std::vector<Event> receive(const Call& call, const Request& request) override {
        return lease_.receive(call, request);
    }
    Response respond(const Call& call, const Request& request) override {
        return lease_.respond(call, request);
    }
    std::vector<std::string> topics() const override { return lease_.topics(); }
    void handle(const Call& call, const Event& event) override { lease_.handle(call, event); }
    std::vector<StepInfo> steps() const override { return lease_.steps(); }
    StepResult run(const Call& call, const StepInput& input) override {
        return lease_.run(call, input);
    }
    std::vector<ApiRoute> api_routes() const override { return lease_.api_routes(); }
    Response answer(const Call& call, const Request& request) override {
        return lease_.answer(call, request);
    }
    std::vector<OperationInfo> operations() const override { return lease_.operations(); }
    std::string perform(const Call& call, const OperationInput& input) override {
        return lease_.perform(call, input);
    }
    std::vector<SocketRoute> socket_routes() const override { return lease_.socket_routes(); }
    SocketReply opened(const Call& call, const SocketMessage& socket) override {
        return lease_.socket_opened(call, socket);
    }
    SocketReply message(const Call& call, const SocketMessage& message) override {
        return lease_.socket_message(call, message);
    }
    void closed(const Call& call, const SocketMessage& socket) override {
        lease_.socket_closed(call, socket);
    }
    Health health(const Call& call) override { return lease_.health(call); }

private:
    PluginLease& lease_;
};

class TestBench {
public:
    explicit TestBench(const pb_host& player) : services_(provider_), player_(player) {}
    TestBench(const TestBench&) = delete;
    TestBench& operator=(const TestBench&) = delete;

    static int32_t call(void* self, uint32_t number, pb_bytes in, pb_sink out) {
        return detail::guarded(out, [&] {
            detail::deliver(out, static_cast<TestBench*>(self)->answer(number, detail::view(in)));
        });
    }
    static void destroy(void* self) { delete static_cast<TestBench*>(self); }

private:
    std::string answer(uint32_t number, std::string_view in);
    std::string ask_plugin(uint32_t number, std::string_view in);
    detail::Served direct_provider(uint32_t number, std::string_view in);
    std::string tell_of_host(uint32_t number, std::string_view in);
    void start(const std::string& plugin, const std::string& folder, Labels values);
    void play(uint32_t number);
    std::vector<bench::Line> lines() const {
        std::vector<bench::Line> lines;
        for (auto& line : services_.seen().log) lines.push_back({std::move(line)});
        return lines;
    }
    std::vector<bench::Push> pushes() const {
        std::vector<bench::Push> all;
        for (auto& [topic, text] : services_.seen().pushed) all.push_back({topic, text});
        return all;
    }
    PluginLeasePtr lease() const {
        auto lease = host_ ? host_->lease(instance_name) : nullptr;
        if (!lease) throw Error(ErrorKind::internal, "the plugin is not active");
        return lease;
    }

    ScratchFolder scratch_;
    ProviderDouble provider_;
    TestServices services_;
    const pb_host player_;
    HubConfig config_;
    std::unique_ptr<PluginHost> host_;  // Before what its plugin uses.
};

void TestBench::start(const std::string& plugin, const std::string& folder, Labels values) {
    config_.file = scratch_.path / "patchbay.yaml";
    config_.base = scratch_.path;
    config_.plugin_path = {folder};
    InstanceConfig instance;
    instance.name = instance_name;
    instance.plugin = plugin;
    instance.isolation = "none";  // A debugger, a sanitizer and a crash see the plugin itself.
    instance.config = std::move(values);
    config_.plugins = {std::move(instance)};
    host_ = std::make_unique<PluginHost>(config_, services_.services, scratch_.path / "plugins");
    host_->watch_life_with({.prepare =
                                [this](const std::string& name, const detail::Schema& schema) {
                                    services_.make_tables(scratch_.path, name, schema.migrations);
                                },
                            .switched = {}});
    host_->start();
    const InstanceInfo info = *host_->find(instance_name);
    if (info.state != InstanceState::active) throw Error(ErrorKind::config, info.last_error);
}

void TestBench::play(uint32_t number) {
    services_.play(number, [this, number](std::string_view in) {
        detail::StringSink answer;
        const int32_t status =
            player_.call(player_.self, number, detail::borrow(in), answer.sink());
        if (status != 0) detail::rethrow(status, answer.text());
        return answer.text();
    });
}

std::string TestBench::ask_plugin(uint32_t number, std::string_view in) {
    const PluginLeasePtr held = lease();
    const auto tell = [&](auto function) {
        return detail::answer_to<std::string, std::string>(in, function);
    };
    if (number == method::on_timer) {
        return tell([&](auto& name, auto& payload) { held->on_timer(name, payload); });
    }
    if (number == method::on_task) {
        return tell([&](auto& name, auto& payload) { held->on_task(name, payload); });
    }
    Passage passage(*held);
    auto served = detail::AllInterfaces::serve(passage, number, in);
    if (!served) throw Error(ErrorKind::unsupported, "the test bench does not know this call");
    return std::move(*served);
}

/// nullopt: another number.
detail::Served TestBench::direct_provider(uint32_t number, std::string_view in) {
    using bench::Answer;
    switch (number) {
        case bench::provider_answers:
            return detail::answer_to<Answer>(in, [&](auto& one) { provider_.answer_always(one); });
        case bench::provider_answers_next:
            return detail::answer_to<Answer>(in, [&](auto& one) { provider_.answer_next(one); });
        case bench::provider_answers_to:
            return detail::answer_to<std::string, Answer>(
                in, [&](auto& part, auto& one) { provider_.answer_to(part, one); });
        case bench::provider_is_gone:
            provider_.go_away();
            return std::string();
        case bench::provider_requests:
            return wire::pack(provider_.requests());
        default:
            return std::nullopt;
    }
}

std::string TestBench::tell_of_host(uint32_t number, std::string_view in) {
    switch (number) {
        case bench::now:
            return wire::pack(services_.clock.now_ms());
        case bench::pass_time:
            return detail::answer_to<milliseconds>(in,
                                                   [&](auto by) { services_.clock.advance(by); });
        case bench::log:
            return wire::pack(lines());
        case bench::published:
            return wire::pack(services_.seen().published);
        case bench::pushed:
            return wire::pack(pushes());
        case bench::timers:
            return wire::pack(services_.seen().timers);
        case bench::tasks:
            return wire::pack(services_.seen().tasks);
        case bench::metrics:
            return wire::pack(services_.seen().metrics);
        case bench::labels:
            return wire::pack(services_.seen().labels);
        case bench::stored:
            return detail::answer_to<std::string>(
                in, [&](auto& key) { return wire::Bytes{services_.stored(key)}; });
        case bench::store:
            return detail::answer_to<std::string, wire::Bytes>(
                in, [&](auto& key, auto& value) { services_.store(key, value.data); });
        case bench::play:
            return detail::answer_to<uint32_t>(in, [&](auto played) { play(played); });
        default:
            throw Error(ErrorKind::unsupported, "the test bench does not know this call");
    }
}

std::string TestBench::answer(uint32_t number, std::string_view in) {
    if (number < bench::start) return ask_plugin(number, in);
    if (auto answer = direct_provider(number, in)) return std::move(*answer);
    switch (number) {
        case bench::start:
            return detail::answer_to<std::string, std::string, Labels>(
                in, [&](auto&... values) { start(values...); });
        case bench::samples:
            return detail::answer_to<std::string>(in, samples_of);
        case bench::manifest:
            return detail::answer_to<std::string>(in, manifest_of);
        case bench::schema:
            return wire::pack(host_->schema(host_->find(instance_name)->plugin));
        case bench::provides:
            return detail::answer_to<std::string>(in,
                                                  [&](auto& id) { return lease()->provides(id); });
        default:
            return tell_of_host(number, in);
    }
}

}  // namespace
}  // namespace patchbay

extern "C" int32_t patchbay_test_bench_v1(const pb_host* player, pb_instance* out, pb_sink err) {
    using patchbay::TestBench;
    return patchbay::detail::guarded(err, [&] {
        *out = {sizeof(pb_instance), PB_ABI_MINOR, new TestBench(*player), &TestBench::call,
                &TestBench::destroy};
    });
}
