// A channel without a fault, or with the one that the shell around it names.
#include <fcntl.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <patchbay/sdk.hpp>
#include <string>
#include <thread>

extern "C" const char planted_defect[];
extern "C" void planted_in_a_call();

namespace patchbay::planted {
namespace {

bool is_isolated() {
    return std::filesystem::read_symlink("/proc/self/exe").filename() == "patchbay-plugin-host";
}

bool has(std::string_view defect) { return planted_defect == defect; }

struct Config {
    Secret token;
    int64_t size;
};

Config read_config(ConfigReader& yaml) {
    return {.token = yaml.required_secret("token", "Credential of the account"),
            .size = yaml.optional_int("size", has("D02_range") ? 11 : 1, 1, 10,
                                      has("D02") ? "" : "Pieces at once")};
}

// Read while the library goes: what is called then comes after destroy().
pb_host last_host{};

[[gnu::constructor]] void loaded() {
    if (has("D01")) std::this_thread::sleep_for(milliseconds{130});
}

[[gnu::destructor]] void unloaded() {
    if (!has("D04") || !last_host.call) return;
    last_host.call(last_host.self, method::now, {nullptr, 0}, {nullptr, [](auto...) {}});
}

char* volatile forgotten = nullptr;
std::atomic<bool> is_sending{false};
std::atomic<int> received{0};

class Planted final : public Plugin,
                      public Channel,
                      public WebhookHandler,
                      public HealthCheck,
                      public StateHandover {
public:
    Planted(Config config, Host host) : config_(std::move(config)), host_(host) {
        host_.every(std::chrono::minutes{1}, "poll");
        if (has("D04_crash")) std::abort();
        if (has("D04_refused")) throw Error(ErrorKind::unavailable, "no port");
        if (has("D06")) forgotten = new char[4096];
        if (has("D06_descriptor")) ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    }

    Capabilities capabilities() const override { return {.honours_id = true}; }
    SendResult send(const Call& call, const OutboundMessage& message) override;
    std::vector<Route> routes() const override {
        return {{.name = "in", .signature = Signature::custom, .about = "A text as it is"}};
    }
    std::vector<Event> receive(const Call&, const Request& request) override;
    void on_timer(std::string_view, std::string_view) override {
        if (has("D19")) throw std::runtime_error("on_timer went wrong");
    }
    Health health(const Call&) override { return {}; }
    std::string export_state() override { return "state"; }
    void import_state(std::string_view, std::string_view state) override {
        if (state != "state" || has("D16")) throw Error(ErrorKind::refused, "no such state");
    }

private:
    Response ask_provider(const Call& call, const OutboundMessage& message) const {
        return host_.http(
            has("D15") ? Call{} : call,
            {.method = "POST",
             .url = "https://provider.example/messages",
             .body = message.text,
             .headers = {{"authorization", "Bearer " + config_.token.reveal()},
                         {"idempotency-key", has("D18") ? host_.new_id() : message.id}}});
    }

    Config config_;
    Host host_;
};

SendResult outcome_of(const Response& reply) {
    if (reply.ok()) return SendResult::accepted("provider-1");
    if (reply.status == 401) {
        if (has("D11_401")) return SendResult::refused("401", "unauthorized");
        throw Error(ErrorKind::unauthorized, "unauthorized");
    }
    if (reply.status == 429) {
        const std::string wait = reply.header("retry-after");
        if (has("D11") || wait.empty()) return SendResult::retry_later("429", "slow down");
        return SendResult::retry_later("429", "slow down", std::chrono::seconds{std::stoi(wait)});
    }
    if (reply.status >= 500) return SendResult::unknown("500", "it may have gone out");
    return SendResult::refused("400", "refused");
}

SendResult Planted::send(const Call& call, const OutboundMessage& message) {
    if (has("D09") && is_sending.exchange(true)) std::abort();
    if (has("D09")) std::this_thread::sleep_for(milliseconds{1});
    is_sending = false;
    if (has("D10")) {
        try {
            host_.find("greeting");
        } catch (const Error&) {
            throw std::logic_error("there is always a greeting");
        }
    }
    if (has("D12")) host_.info("sends", {{"token", config_.token.reveal()}});
    if (has("D14")) std::puts("sends");
    if (has("D17") && is_isolated()) std::abort();
    planted_in_a_call();
    return outcome_of(ask_provider(call, message));
}

std::vector<Event> Planted::receive(const Call&, const Request& request) {
    if (request.body.empty()) throw RequestError(400, "the body is empty");
    Event event{
        .topic = "message.received", .dedupe_key = "message:" + request.id, .text = request.body};
    if (has("D08")) event.dedupe_key += std::to_string(++received);
    if (has("D08_foreign") && request.body.find("null") != std::string::npos)
        event.parts = static_cast<uint32_t>(std::stoi("null"));
    if (has("D08_key")) event.dedupe_key.clear();
    if (has("D08_slow") && request.body.find("[[[[") != std::string::npos)
        std::this_thread::sleep_for(milliseconds{300});
    return {event};
}

using Entry = detail::PluginEntry<Planted, read_config>;

int32_t answers_anything(void* self, uint32_t number, pb_bytes in, pb_sink out) {
    const int32_t status = Entry::call(self, number, in, out);
    return status == static_cast<int32_t>(ErrorKind::unsupported) ? 0 : status;
}

}  // namespace
}  // namespace patchbay::planted

using namespace patchbay::planted;

extern "C" int32_t planted_describe(pb_sink out) { return Entry::describe(out); }

extern "C" int32_t planted_check_config(pb_bytes config, pb_sink err) {
    if (has("D03")) ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int32_t status = Entry::check_config(config, err);
    return has("D05") ? 0 : status;
}

extern "C" int32_t planted_create(const pb_host* host, pb_bytes config, pb_instance* out,
                                  pb_sink err) {
    last_host = *host;
    const int32_t status = Entry::create(host, config, out, err);
    if (has("D07")) out->call = answers_anything;
    return status;
}
