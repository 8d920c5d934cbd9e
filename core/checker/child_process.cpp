#include "checker/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stdexcept>

namespace patchbay::checker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t shown_output = 2'000;

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {
        if (number < 0) throw std::runtime_error(std::string("no descriptor: ") + strerror(errno));
    }
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }
    void close() {
        if (number_ >= 0) ::close(number_);
        number_ = -1;
    }

private:
    int number_;
};

void write_all(int descriptor, const std::string& text) {
    for (size_t done = 0; done < text.size();) {
        const ssize_t count = ::write(descriptor, text.data() + done, text.size() - done);
        if (count <= 0) return;
        done += static_cast<size_t>(count);
    }
}

// Group, descriptors and limits of the child; then the work. Does not return, and runs none of the
// parent's exit handlers; what the work throws ends it.
[[noreturn]] void be_child(const std::function<std::string()>& work, int answer,
                           int output) noexcept {
    ::setsid();  // A group of its own, which can be killed whole.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    write_all(answer, work());
    std::cout.flush();
    std::fflush(nullptr);
    ::_exit(EXIT_SUCCESS);
}

// Until the other end closes. False: the deadline came first.
bool read_until(int descriptor, Clock::time_point deadline, std::string& into) {
    char buffer[4096];
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) return false;
        pollfd ready{descriptor, POLLIN, 0};
        if (::poll(&ready, 1, static_cast<int>(left.count())) <= 0) continue;
        const ssize_t count = ::read(descriptor, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return true;
        into.append(buffer, static_cast<size_t>(count));
    }
}

std::string last_of(int descriptor) {
    const off_t size = ::lseek(descriptor, 0, SEEK_END);
    const off_t begin = std::max<off_t>(0, size - static_cast<off_t>(shown_output));
    std::string text(static_cast<size_t>(size - begin), '\0');
    const ssize_t count = ::pread(descriptor, text.data(), text.size(), begin);
    text.resize(static_cast<size_t>(std::max<ssize_t>(0, count)));
    return text;
}

std::string ending_of(int status) {
    if (WIFSIGNALED(status)) {
        const char* name = ::sigabbrev_np(WTERMSIG(status));
        return std::string("crashed with SIG") + (name ? name : "?");
    }
    return "ended the process with exit code " + std::to_string(WEXITSTATUS(status));
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace

ChildResult run_in_child(const std::function<std::string()>& work,
                         std::chrono::milliseconds deadline) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe can be made");
    Descriptor from(ends[0]), to(ends[1]);
    const Descriptor output(::memfd_create("patchbay-check-output", MFD_CLOEXEC));
    std::cout.flush();
    std::fflush(nullptr);  // What waits in a buffer would be written by both.
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no process can be made");
    if (child == 0) {
        from.close();
        be_child(work, to.number(), output.number());
    }
    to.close();

    ChildResult result;
    const bool ended = read_until(from.number(), Clock::now() + deadline, result.answer);
    ::kill(-child, SIGKILL);  // Also what it has left running.
    ::kill(child, SIGKILL);   // It may not have made its group yet.
    const int status = wait_for(child);
    result.output = last_of(output.number());
    result.answered =
        ended && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS && !result.answer.empty();
    if (result.answered) return result;
    result.ending = ended ? ending_of(status)
                          : "did not end in " + std::to_string(deadline.count() / 1000) + " s";
    return result;
}

}  // namespace patchbay::checker
