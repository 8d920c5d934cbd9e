// What one call into a plugin costs: receive() with a webhook of 1 kB, as a virtual call in C++,
// through the boundary in this process, and with `isolation: process`.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "echo.hpp"
#include "plugins/plugin_host.hpp"

namespace {

using namespace patchbay;
using std::chrono::steady_clock;

Request webhook() {
    std::string body = "MessageSid=SM00000000000000000000000000000000&From=%2B15550100&Body=";
    body += std::string(1024 - body.size(), 'x');
    return {.route = "in",
            .method = "POST",
            .url = "https://hub.example/hooks/bench/in",
            .body = std::move(body),
            .headers = {{"content-type", "application/x-www-form-urlencoded"}},
            .peer = "192.0.2.1",
            .id = "request"};
}

double at(const std::vector<double>& sorted, double part) {
    return sorted[static_cast<size_t>(static_cast<double>(sorted.size() - 1) * part)];
}

/// Prints p50 and p99 of `calls` calls in microseconds; answers p50.
template <class Work>
double measure(const char* name, int calls, Work work) {
    for (int i = 0; i < calls / 10; ++i) work();
    std::vector<double> took;
    took.reserve(static_cast<size_t>(calls));
    for (int i = 0; i < calls; ++i) {
        const auto began = steady_clock::now();
        work();
        took.push_back(
            std::chrono::duration<double, std::micro>(steady_clock::now() - began).count());
    }
    std::sort(took.begin(), took.end());
    std::printf("%-22s p50 %7.2f us   p99 %7.2f us\n", name, at(took, 0.5), at(took, 0.99));
    return at(took, 0.5);
}

/// A folder of its own, gone at the end.
struct Scratch {
    Scratch() {
        std::string name = std::filesystem::temp_directory_path() / "patchbay-bench-XXXXXX";
        if (!::mkdtemp(name.data())) std::exit(1);
        path = name;
    }
    ~Scratch() { std::filesystem::remove_all(path); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    std::filesystem::path path;
};

/// Resident memory of the only child of this process, in MB; 0: there is none.
double memory_of_child() {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream status(entry.path() / "status");
        const std::string text{std::istreambuf_iterator<char>(status), {}};
        if (text.find("PPid:\t" + std::to_string(::getpid()) + "\n") == std::string::npos) continue;
        return std::strtod(text.c_str() + text.find("VmRSS:") + 6, nullptr) / 1024;
    }
    return 0;
}

InstanceConfig instance(const char* name, const char* isolation) {
    InstanceConfig config;
    config.name = name;
    config.plugin = "echo";
    config.isolation = isolation;
    return config;
}

}  // namespace

int main() {
    const Scratch scratch;
    HubConfig config;
    config.file = scratch.path / "patchbay.yaml";
    config.plugin_path = {PATCHBAY_BENCH_PLUGINS};
    config.plugins = {instance("here", "none"), instance("apart", "process")};
    HostServices services;
    PluginHost host(config, services, scratch.path / "staging");
    host.start();
    const auto here = host.lease("here");
    auto apart = host.lease("apart");
    if (!here || !apart) {
        std::fprintf(stderr, "%s%s\n", host.find("here")->last_error.c_str(),
                     host.find("apart")->last_error.c_str());
        return 1;
    }

    const Call call{.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    const Request request = webhook();
    const auto direct = std::make_unique<echo::Echo>(echo::Config{}, Host(nullptr));
    WebhookHandler& handler = *direct;
    size_t events = 0;
    measure("a virtual call", 200'000, [&] { events += handler.receive(call, request).size(); });
    const double inside =
        measure("in-process", 200'000, [&] { events += here->receive(call, request).size(); });
    const double outside = measure("isolation: process", 20'000,
                                   [&] { events += apart->receive(call, request).size(); });
    std::printf("its process            %.1f MB\n", memory_of_child());
    apart.reset();
    measure("  and a new one of it", 50, [&] { host.reload("apart"); });
    std::printf("to reach: 3 us and 100 us (p50)%s\n",
                inside <= 3 && outside <= 100 ? "" : ": MISSED");
    return events > 0 && inside <= 3 && outside <= 100 ? 0 : 1;
}
