// For tests of plugins: a plugin loaded as the hub loads it, with a provider and a host that the
// test directs.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

/// What the provider was asked. Nothing leaves the machine: whatever host the plugin calls, the
/// test's provider answers.
struct ProviderRequest {
    std::string method;
    std::string url;     ///< As the plugin gave it.
    std::string target;  ///< Path and query as they arrived.
    Labels headers;      ///< Names in lower case.
    std::string body;
    PATCHBAY_FIELDS { v(1, method)(2, url)(3, target)(4, headers).bytes(5, body); }
};

struct LogLine {
    Level level = Level::info;
    std::string text;
    Labels fields;
};

/// The hub's loader, a provider and a host in a library of their own, so that a test may be built
/// with any compiler and standard library. What it is asked is in testing/bench.hpp.
class Bench {
public:
    Bench();
    ~Bench();
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    template <class Out, class... In>
    Out ask(uint32_t number, const In&... in) const {
        Out out{};
        wire::unpack(exchange(number, wire::pack(in...)), wire::Text::trusted, out);
        return out;
    }
    template <class... In>
    void tell(uint32_t number, const In&... in) const {
        exchange(number, wire::pack(in...));
    }
    /// The bench asks `answer` where the plugin asks this service.
    void play(uint32_t number, std::function<std::string(std::string_view)> answer);

private:
    std::string exchange(uint32_t number, std::string_view message) const;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// One instance of a plugin, called `under_test`. Time stands still at 2027-01-15T08:00:00Z until
/// the test moves it, ids are id-1, id-2, ... Throws what the plugin throws, translated as in the
/// hub.
class ChannelUnderTest {
public:
    /// Loads the library from the build's plugins folder. `config` has flattened keys
    /// ("verify.provider", "rules[0].reply" with "rules[]" = count). Throws Error with the reason
    /// when the plugin does not start.
    explicit ChannelUnderTest(const std::string& plugin, Labels config = {});

    // ---- The provider: an HTTP server on a loopback port. Until told otherwise it answers 200
    // with an empty body.
    void provider_answers(int status, std::string body = {}, Labels headers = {});
    /// Once, before what provider_answers() said; several of them are given in order.
    void provider_answers_next(int status, std::string body = {}, Labels headers = {});
    /// For each request whose target contains `part`; before the other two.
    void provider_answers_to(const std::string& part, int status, std::string body = {},
                             Labels headers = {});
    /// Reads the request, then closes without an answer: ConnectionFailed(true).
    void provider_hangs_up();
    /// Takes no connection: ConnectionFailed(false).
    void provider_is_gone();
    std::vector<ProviderRequest> provider_requests() const;
    /// Throws std::logic_error when there was none.
    ProviderRequest last_provider_request() const;

    // ---- The plugin
    Capabilities capabilities();
    SendResult send(const OutboundMessage& message);
    std::optional<SendResult> look_up(const OutboundMessage& message);
    std::vector<Event> list_since(int64_t since_ms);
    void mark_read(const Mark& mark);
    void typing(const Mark& mark);
    std::vector<Route> routes();
    bool is_authentic(const Request& request);
    /// The request as the hub would hand it over from its store. Missing method, url and id are
    /// filled in.
    std::vector<Event> receive(Request request);
    std::vector<Event> receive(const std::string& route, const std::string& body);
    Response respond(Request request);
    std::vector<StepInfo> steps();
    StepResult run(const StepInput& input);
    std::vector<ApiRoute> api_routes();
    Response answer(const Request& request);
    std::vector<OperationInfo> operations();
    std::string perform(const OperationInput& input);
    std::vector<SocketRoute> socket_routes();
    SocketReply socket_opened(const SocketMessage& socket);
    SocketReply socket_message(const SocketMessage& message);
    std::vector<std::string> topics();
    void handle(const Event& event);
    Health health();
    void on_timer(const std::string& name, const std::string& payload = {});
    void on_task(const std::string& name, const std::string& payload = {});
    bool provides(const std::string& interface_id);
    /// What read_config() asks for, with the texts for people.
    detail::Schema config_schema() const;

    // ---- The host
    int64_t now_ms() const;
    void pass_time(milliseconds by);
    std::vector<LogLine> log() const;
    std::vector<Event> published() const;
    /// Topic and text, in order. Tables of the plugin's own (tables/1) are real ones.
    std::vector<std::pair<std::string, std::string>> pushed() const;
    std::vector<std::string> timers() const;  ///< Names, in the order they were asked for.
    std::vector<std::string> tasks() const;
    std::map<std::string, double> metrics()
        const;  ///< Counted sums, and the last value of the others; without labels.
    std::string stored(const std::string& key) const;  ///< kv/1; empty when absent.
    void store(const std::string& key, const std::string& value);
    /// Plays a service of the host (a number of patchbay/detail/methods.hpp): encoded arguments in,
    /// encoded answer out. May throw Error.
    void host_answers(uint32_t method, std::function<std::string(std::string_view)> answer);
    /// Values of all labels and metric names the plugin gave, for a search for what must not be
    /// there.
    std::vector<std::string> labels() const;

private:
    Request filled(Request request);

    Bench bench_;
    const Call call_{.trace = "test"};
    uint64_t last_request_ = 0;
};

}  // namespace patchbay
