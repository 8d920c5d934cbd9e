#include "plugins/process/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <patchbay/errors.hpp>
#include <sstream>
#include <utility>

#include "plugins/process/frame.hpp"

// glibc 2.36 forgot that C++ includes it too.
extern "C" {
#include <sys/pidfd.h>
}

namespace patchbay {
namespace {

[[noreturn]] void fail(const char* what, int error) {
    throw Error(ErrorKind::unavailable, std::string("the plugin's process cannot be started: ") +
                                            what + ": " + std::strerror(error));
}

class Actions {
public:
    explicit Actions(int socket) {
        ::posix_spawn_file_actions_init(&actions_);
        // The pair first: it may have one of the numbers that are opened below.
        ::posix_spawn_file_actions_adddup2(&actions_, socket, plugin_socket);
        // Its output belongs to nobody; a verb of ours may print JSON.
        ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        // Sockets of Poco are not close-on-exec.
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, plugin_socket + 1);
    }
    ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_;
};

/// No signal is blocked or ignored, and ^C on the hub's terminal is not for it.
class Attributes {
public:
    Attributes() {
        sigset_t none, all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    const posix_spawnattr_t* get() const { return &attributes_; }

private:
    posix_spawnattr_t attributes_;
};

// Secrets come to the hub in its environment.
std::vector<char*> environment() {
    std::vector<char*> out;
    for (char** one = environ; *one; ++one) {
        const std::string_view text(*one);
        for (const char* name : {"LANG=", "LC_", "TZ=", "LD_LIBRARY_PATH=", "ASAN_OPTIONS=",
                                 "TSAN_OPTIONS=", "UBSAN_OPTIONS="})
            if (text.starts_with(name)) out.push_back(*one);
    }
    out.push_back(nullptr);
    return out;
}

std::string in_words(const siginfo_t& ended) {
    if (ended.si_code == CLD_EXITED) return "exit code " + std::to_string(ended.si_status);
    const char* name = ::sigdescr_np(ended.si_status);
    return std::string(name ? name : "a signal") + " (signal " + std::to_string(ended.si_status) +
           ")";
}

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
    if (number_ >= 0) ::close(number_);
}
OwnedDescriptor::OwnedDescriptor(OwnedDescriptor&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}
OwnedDescriptor& OwnedDescriptor::operator=(OwnedDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

std::string Spawned::reap() {
    siginfo_t ended{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED) != 0)
        if (errno != EINTR) return "an end that nobody saw";
    return in_words(ended);
}

uint64_t Spawned::data_bytes() const {
    std::array<char, 256> text{};
    const ssize_t count = ::pread(statm.number(), text.data(), text.size() - 1, 0);
    if (count <= 0) return 0;
    const char* at = text.data();
    const char* const end = at + count;
    uint64_t pages = 0;
    for (int column = 0; column < 6 && at < end; ++column) {
        at = std::from_chars(at, end, pages).ptr;
        if (at < end) ++at;
    }
    return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

Spawned spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) fail("a socket", errno);
    Spawned child;
    child.socket = OwnedDescriptor(pair[0]);
    const OwnedDescriptor theirs(pair[1]);

    const std::string name = program.filename();
    std::vector<char*> argv{const_cast<char*>(name.c_str())};
    for (const std::string& one : arguments) argv.push_back(const_cast<char*>(one.c_str()));
    argv.push_back(nullptr);
    const int error = ::posix_spawn(&child.pid, program.c_str(), Actions(theirs.number()).get(),
                                    Attributes().get(), argv.data(), environment().data());
    if (error != 0) fail(program.c_str(), error);
    child.handle = OwnedDescriptor(::pidfd_open(child.pid, 0));
    const std::string statm = "/proc/" + std::to_string(child.pid) + "/statm";
    child.statm = OwnedDescriptor(::open(statm.c_str(), O_RDONLY | O_CLOEXEC));
    if (child.handle.number() >= 0) return child;
    const int why = errno;
    ::kill(child.pid, SIGKILL);
    child.reap();
    fail("a handle of it", why);
}

}  // namespace patchbay
