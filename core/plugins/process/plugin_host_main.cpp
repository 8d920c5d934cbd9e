// patchbay-plugin-host: the process of one plugin instance with `isolation: process`. The hub
// starts it, and talks to it on descriptor 3.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "plugins/process/plugin_server.hpp"
#include "plugins/process/sanitized.hpp"

namespace {

using namespace patchbay;

// The hub ends this process: by destroy, by closing the pair, by SIGKILL. What is sent to the whole
// group of the hub, such as ^C or a stop of the service, must not cut a send that still drains.
void leave_stopping_to_the_hub() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
        std::signal(signal, SIG_IGN);
}

void limit(__rlimit_resource resource, rlim_t most) {
    const rlimit value{most, most};
    ::setrlimit(resource, &value);
}

// What counts against RLIMIT_DATA.
uint64_t data_bytes() {
    std::ifstream statm("/proc/self/statm");
    uint64_t pages = 0;
    for (int column = 0; column < 6; ++column) statm >> pages;
    return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// What is there before it, the stacks of our threads for the most part, is not the plugin's.
MemoryMarks limit_memory(uint64_t bytes) {
    if (is_sanitized || bytes == 0) return {};
    const uint64_t ours = data_bytes();
    limit(RLIMIT_DATA, ours + bytes);
    return {.recycle_at = ours + bytes / 10 * 8, .full_at = ours + bytes / 10 * 9};
}

// Of two, the kernel shall take this one when the machine has no memory left.
void offer_to_the_oom_killer() { std::ofstream("/proc/self/oom_score_adj") << 500; }

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) {
        std::cerr << "patchbay-plugin-host is started by patchbay, for a plugin with isolation: "
                     "process\n";
        return 2;
    }
    const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
    leave_stopping_to_the_hub();
    offer_to_the_oom_killer();
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, number(5));
    // Never destroyed: the threads use it until the process ends.
    auto& server = *new PluginServer(plugin_socket, static_cast<unsigned>(number(6)));
    server.load(argv[2], argv[3], limit_memory(number(4)));
    server.serve();
}
