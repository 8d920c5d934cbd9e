// Allowed to run once only, and in need of a service; with a second flavour that pins itself in
// memory.
#include <patchbay/sdk.hpp>

#include <atomic>

namespace patchbay::lone {
namespace {

struct Config {
    bool broken;
};

Config read_config(ConfigReader& yaml) {
    return {yaml.optional_bool("broken", false, "Whether create fails")};
}

#ifdef LONE_STAYS_MAPPED
// A thread-local with a destructor keeps the library until the thread ends.
struct Pin {
    ~Pin() { value = 0; }
    volatile int value = 1;
};
thread_local Pin pin;
#endif

class Lone final : public Plugin, public Channel {
public:
    static constexpr uint32_t flags = exclusive;
    Lone(const Config& config, Host host) : host_(host) {
        if (config.broken) throw Error(ErrorKind::unavailable, "no port");
        const auto seen = host_.find("running");
        if (seen && seen->value == "yes") throw Error(ErrorKind::conflict, "there are two of us");
        host_.store("running", "yes");
    }
    void drain(milliseconds) override { host_.store("running", "no"); }
    Capabilities capabilities() const override { return {}; }
    SendResult send(const Call&, const OutboundMessage&) override {
#ifdef LONE_STAYS_MAPPED
        return SendResult::accepted(std::to_string(pin.value));
#else
        return SendResult::accepted("lone");
#endif
    }

private:
    Host host_;
};

}  // namespace
PATCHBAY_PLUGIN(lone, "1.0.0", Lone, read_config, "kv/1")
}  // namespace patchbay::lone
