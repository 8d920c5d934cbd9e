// A plugin with the faults that end a process, for isolation: process.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <patchbay/sdk.hpp>
#include <thread>

namespace patchbay::deadly {
namespace {

struct Config {
    std::string mode;
};

volatile bool for_ever = true;

[[noreturn]] void loop() {
    while (for_ever) {
    }
    std::abort();
}

// Not at null, where a compiler or a sanitizer may have its own mind.
void crash() {
    void* const closed =
        ::mmap(nullptr, sizeof(int), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile int*>(closed) = 1;
}

Config read_config(ConfigReader& yaml) {
    Config config{yaml.optional_text("mode", "", "What goes wrong")};
    if (config.mode == "crashes in check_config") crash();
    return config;
}

int overflow(int depth) {
    volatile char room[4096];
    room[0] = static_cast<char>(depth);
    return depth < 0 ? room[0] : overflow(depth + 1) + room[0];
}

void throw_something() { throw std::runtime_error("thrown out of noexcept"); }
void throws_nothing() noexcept { throw_something(); }

// Kept for ever, as a leak is.
void take(size_t bytes) {
    auto* const memory = static_cast<volatile char*>(::operator new(bytes));
    for (size_t i = 0; i < bytes; i += 4096) memory[i] = 1;
}

void say_garbage() {
    const std::string bytes(100, '\xff');
    static_cast<void>(::send(3, bytes.data(), bytes.size(), 0));
    loop();
}

// The header of an answer (core/plugins/process/frame.hpp) with a length of 2 GiB.
void say_too_much() {
    const uint32_t header[8] = {0x80000000u, 1, 7, 0, 0, 0, 0, 0};
    static_cast<void>(::send(3, header, sizeof header, 0));
    loop();
}

void answer_what_nobody_asked() {
    const uint32_t header[8] = {0, 1, 0xffffff, 0, 0, 0, 0, 0};
    static_cast<void>(::send(3, header, sizeof header, 0));
    loop();
}

// Shut, too: a thread that reads from it keeps it open for itself.
void close_the_socket() {
    ::shutdown(3, SHUT_RDWR);
    ::close(3);
    loop();
}

std::string descriptors() {
    std::string open;
    for (int number = 0; number < 1'024; ++number)
        if (::fcntl(number, F_GETFD) >= 0)
            open += (open.empty() ? "" : " ") + std::to_string(number);
    return open;
}

std::string use_up_descriptors() {
    int count = 0;
    while (::dup(2) >= 0) ++count;
    return std::to_string(count);
}

std::string limits() {
    rlimit core{}, files{};
    ::getrlimit(RLIMIT_CORE, &core);
    ::getrlimit(RLIMIT_NOFILE, &files);
    return std::to_string(core.rlim_cur) + " " + std::to_string(files.rlim_cur);
}

class Deadly final : public Plugin, public Channel, public WebhookHandler {
public:
#ifdef DEADLY_FLAGS
    static constexpr uint32_t flags = DEADLY_FLAGS;
#endif
    Deadly(const Config& config, Host host) : host_(host) {
        if (config.mode == "crashes in create") crash();
        if (config.mode == "loops in create") loop();
        if (config.mode == "crashes in the second create" && host_.find("created")) crash();
        if (host_.has("kv/1")) host_.store("created", "yes");
    }

    Capabilities capabilities() const override { return {}; }
    SendResult send(const Call&, const OutboundMessage& message) override {
        return SendResult::accepted(perform(message.text));
    }
    std::vector<Route> routes() const override {
        return {{.name = "in", .signature = Signature::none}};
    }
    std::vector<Event> receive(const Call&, const Request& request) override {
        const std::string said = perform(request.body);
        return {{.topic = "message.received", .dedupe_key = request.body, .text = said}};
    }

private:
    std::string perform(const std::string& fault) {
        if (fault == "segfault") crash();
        if (fault == "abort") std::abort();
        if (fault == "stack overflow") return std::to_string(overflow(0));
        if (fault == "noexcept") throws_nothing();
        if (fault == "exit") std::exit(3);
        if (fault == "loop") loop();
        if (fault == "garbage") say_garbage();
        if (fault == "too much") say_too_much();
        if (fault == "unasked") answer_what_nobody_asked();
        if (fault == "close") close_the_socket();
        if (fault == "all memory")
            for (;;) take(1u << 20);
        if (fault == "leak") take(1u << 20);
        if (fault == "2 GiB") return std::string(2u << 30, 'x');
        if (fault == "5 MiB") return std::string(5u << 20, 'x');
        if (fault == "not utf-8") return "\xC0\x80";
        if (fault == "nul") return {"a\0b", 3};
        if (fault == "all descriptors") return use_up_descriptors();
        if (fault == "descriptors") return descriptors();
        if (fault == "limits") return limits();
        if (fault == "environment") return ::getenv("PATCHBAY_TEST_SECRET") ? "told" : "nothing";
        if (fault == "pid") return std::to_string(::getpid());
        if (fault == "ask the host") return host_.find("key")->value;
        if (fault == "wait") wait_for_word();
        return "fine";
    }
    // Until somebody stores a word for it, however slow the machine is.
    void wait_for_word() {
        host_.store("waiting", "yes");
        while (!host_.find("go on")) std::this_thread::sleep_for(milliseconds{1});
    }

    Host host_;
};

}  // namespace
PATCHBAY_PLUGIN(deadly, "1.0.0", Deadly, read_config)
}  // namespace patchbay::deadly
