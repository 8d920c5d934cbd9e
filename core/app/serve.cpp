#include "app/serve.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <patchbay/sdk.hpp>

#include "app/hub.hpp"
#include "app/start_memory.hpp"
#include "app/stop_deadline.hpp"
#include "base/log.hpp"
#include "delivery/negative_control.hpp"

namespace patchbay {
namespace {

constexpr std::chrono::seconds stop_grace{25};
constexpr std::chrono::seconds stop_longest{28};  // The process is gone after 30 (G11).

sigset_t awaited_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    return signals;
}

// Before the first thread is made, so that only the main thread ever sees one.
void block_signals() {
    const sigset_t signals = awaited_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);  // A file limit is answered as a full disk (F11), not with the end of
                               // the process.
}

void wait_for_stop_signal(Hub& hub, OnHangUp on_hang_up) {
    sigset_t signals = awaited_signals();
    for (;;) {
        int number = 0;
        sigwait(&signals, &number);
        if (number != SIGHUP || on_hang_up == OnHangUp::stop) break;
        hub.request_reload();
    }
    // From here on a second one has its usual effect: the end, as after a crash. What is committed
    // stays.
    sigdelset(&signals, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void print_line(const std::string& part, const std::string& text) {
    std::cout << part << std::string(part.size() < 10 ? 10 - part.size() : 1, ' ') << text
              << std::endl;
}

void print_addresses(const HubConfig& config) {
    print_line("listening", config.server.scheme() + config.server.listen);
    print_line("webhooks", config.server.public_url + "/hooks/{instance}/{route}");
    print_line("api", config.server.public_url + "/api/v1/");
    print_line("ready", "stop with Ctrl-C");
}

// Better no start than one that leaves out what was asked for.
void refuse_what_is_not_served(const HubConfig& config) {
    const auto require = [](bool is_served, const std::string& key, const std::string& remedy) {
        if (is_served) return;
        throw Error(ErrorKind::refused, key + " is not served by this version: " + remedy);
    };
    require(config.realtime.url == "local", "realtime.url", "expected local");
    require(config.media.url.starts_with("file:"), "media.url", "expected file:FOLDER");
}

}  // namespace

int serve(const HubConfig& config, OnHangUp on_hang_up, const std::function<void()>& when_ready) {
    refuse_what_is_not_served(config);
    block_signals();
    start_logging(config.log);
    for (const auto& warning : config.warnings) log_warn("config", warning.text());
    const char* control = std::getenv("PATCHBAY_NEGATIVE_CONTROL");
    arm_negative_control(control ? control : "", config.production());
    std::optional<StopDeadline> deadline;  // Outlives the hub, whose destructors may wait.
    Hub hub{config, print_line};
    hub.start();
    give_back_start_memory();
    print_addresses(config);
    if (const auto link = hub.first_owner_link()) {
        print_line("first owner", *link + " (once, within 30 minutes)");
    }
    when_ready();
    wait_for_stop_signal(hub, on_hang_up);
    print_line("stopping", "finishing what is under way");
    deadline.emplace(stop_longest);
    hub.stop(stop_grace, [&](const char* part) { deadline->at(part); });
    if (const int64_t lost = hub.lost_threads(); lost > 0) {
        log_warn("app", "threads hang in plugins and are left behind",
                 {{"count", std::to_string(lost)}});
        _exit(EXIT_SUCCESS);  // No destructor: they would wait. All else has stopped.
    }
    return EXIT_SUCCESS;
}

}  // namespace patchbay
