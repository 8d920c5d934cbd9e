#include "base/work_record.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <system_error>
#include <utility>

namespace patchbay {
namespace {

// Plain memory of the file: only its own thread writes a place.
struct Place {
    std::atomic<uint32_t> kind;
    std::atomic<uint32_t> crashed;
    std::atomic<int64_t> id;
};
constexpr size_t place_count = 1024;  // More threads than a hub has; one more goes unrecorded.
constexpr size_t file_bytes = place_count * sizeof(Place);
static_assert(std::atomic<int64_t>::is_always_lock_free);

constexpr std::array crash_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr size_t signal_stack_bytes = 64u << 10;

std::atomic<Place*> places{nullptr};
std::array<std::atomic<bool>, place_count> taken{};
std::array<struct sigaction, crash_signals.size()> before{};

// Of this thread, for the handler, which may touch nothing that has to be made first.
thread_local constinit Place* own_place = nullptr;

void end_of_thread() {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
}

// A place, and a stack for the handler: a stack that has overflowed has no room for it.
class ThreadRecord {
public:
    explicit ThreadRecord(Place* first) {
        for (size_t i = 0; i < place_count && !own_place; ++i) {
            if (taken[i].exchange(true)) continue;
            index_ = i;
            own_place = first + i;
        }
        stack_t stack{};
        ::sigaltstack(nullptr, &stack);
        if (!(stack.ss_flags & SS_DISABLE)) return;  // A sanitizer has one already.
        stack_ = std::make_unique_for_overwrite<char[]>(signal_stack_bytes);
        stack = {.ss_sp = stack_.get(), .ss_flags = 0, .ss_size = signal_stack_bytes};
        ::sigaltstack(&stack, nullptr);
    }
    ~ThreadRecord() {
        if (stack_) end_of_thread();
        if (!std::exchange(own_place, nullptr)) return;
        taken[index_] = false;
    }
    ThreadRecord(const ThreadRecord&) = delete;
    ThreadRecord& operator=(const ThreadRecord&) = delete;

private:
    size_t index_ = 0;
    std::unique_ptr<char[]> stack_;
};

Place* place_of_this_thread() {
    Place* const first = places;
    if (!first) return nullptr;
    thread_local const ThreadRecord record{first};
    return own_place;
}

// Only what a signal handler may do.
void on_crash(int signal, siginfo_t* info, void*) {
    if (own_place && own_place->kind != 0) own_place->crashed = 1;
    for (size_t i = 0; i < crash_signals.size(); ++i)
        if (crash_signals[i] == signal) ::sigaction(signal, &before[i], nullptr);
    // After the return a fault happens again, and abort() goes on. One that was sent does not.
    if (info->si_code <= 0 && signal != SIGABRT) ::raise(signal);
}

void watch_signals() {
    struct sigaction action {};
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_ONSTACK | SA_SIGINFO;
    ::sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < crash_signals.size(); ++i)
        ::sigaction(crash_signals[i], &action, &before[i]);
}

std::vector<WorkLeft> left_in(const Place* first) {
    std::vector<WorkLeft> left;
    for (size_t i = 0; i < place_count; ++i) {
        const uint32_t kind = first[i].kind;
        if (kind != static_cast<uint32_t>(WorkKind::job) &&
            kind != static_cast<uint32_t>(WorkKind::webhook))
            continue;
        left.push_back({static_cast<WorkKind>(kind), first[i].id, first[i].crashed == 1});
    }
    return left;
}

void clear(Place* first) {
    for (size_t i = 0; i < place_count; ++i) {
        first[i].kind = 0;
        first[i].crashed = 0;
        first[i].id = 0;
    }
}

Place* map(const std::filesystem::path& file) {
    const auto fail = [&] {
        throw std::system_error(errno, std::generic_category(), file.string());
    };
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) fail();
    // Allocated, so that a disk that is full later is no SIGBUS.
    const int refused = ::posix_fallocate(descriptor, 0, file_bytes);
    void* const memory =
        refused ? MAP_FAILED
                : ::mmap(nullptr, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (refused) errno = refused;
    const int error = errno;
    ::close(descriptor);
    errno = error;
    if (memory == MAP_FAILED) fail();
    return static_cast<Place*>(memory);
}

}  // namespace

AtWork::AtWork(WorkKind kind, int64_t id) : kind_before_(WorkKind::none), id_before_(0) {
    Place* const place = place_of_this_thread();
    if (!place) return;
    id_before_ = place->id.exchange(id, std::memory_order_relaxed);
    kind_before_ = static_cast<WorkKind>(place->kind.exchange(static_cast<uint32_t>(kind)));
}

AtWork::~AtWork() {
    if (!own_place) return;
    own_place->kind = static_cast<uint32_t>(kind_before_);
    own_place->id.store(id_before_, std::memory_order_relaxed);
}

std::vector<WorkLeft> keep_work_record(const std::filesystem::path& file) {
    if (places) return {};
    std::filesystem::create_directories(file.parent_path());
    Place* const first = map(file);
    std::vector<WorkLeft> left = left_in(first);
    clear(first);
    places = first;
    watch_signals();
    return left;
}

void clear_work_record() {
    Place* const first = places;
    if (first) clear(first);
}

}  // namespace patchbay
