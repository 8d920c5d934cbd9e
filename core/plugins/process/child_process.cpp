#include "plugins/process/child_process.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>

#include "plugins/deadlines.hpp"
#include "plugins/plugin_host.hpp"

// glibc 2.36 forgot that C++ includes it too.
extern "C" {
#include <sys/pidfd.h>
}

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// Threads are made beforehand: of more than these nobody should have a process.
constexpr uint32_t most_of_a_lane = 64;
constexpr uint32_t most_of_control = 2;
// Every thread of a plugin has one out at a time: this many are no plugin, but a flood.
constexpr uint32_t most_host_calls = 1'024;
// A process whose socket has closed is about to end, and then says with what.
constexpr auto last_words = 500ms;

std::string name_of(FrameKind kind, uint32_t method) {
    switch (kind) {
        case FrameKind::describe:
            return "describe";
        case FrameKind::check_config:
            return "check_config";
        case FrameKind::create:
            return "create";
        case FrameKind::destroy:
            return "destroy";
        default:
            break;
    }
    const method::Entry* entry = method::find(method);
    return entry ? entry->name : "method " + std::to_string(method);
}

}  // namespace

ChildProcess::ChildProcess(Options options, WorkerPool& pool)
    : options_(std::move(options)),
      pool_(pool),
      most_{std::min(options_.concurrency, most_of_a_lane),
            std::min(options_.concurrency, most_of_a_lane), most_of_control},
      reader_(-1) {}

uint32_t ChildProcess::host_threads(uint32_t concurrency) {
    return 2 * std::min(concurrency, most_of_a_lane) + most_of_control;
}

std::shared_ptr<ChildProcess> ChildProcess::start(Options options, WorkerPool& pool) {
    const std::shared_ptr<ChildProcess> child(new ChildProcess(std::move(options), pool));
    child->begin();
    // Host calls under way keep the object, not the process.
    return {child.get(), [child](ChildProcess* process) {
                process->kill("the hub ended it");
                process->reading_.join();
            }};
}

void ChildProcess::begin() {
    // One more, which reads.
    const uint32_t threads = host_threads(options_.concurrency) + 1;
    const std::vector<std::string> arguments{options_.instance,
                                             options_.library.string(),
                                             options_.plugin,
                                             std::to_string(options_.memory_bytes),
                                             std::to_string(options_.files),
                                             std::to_string(threads)};
    const auto started = std::make_shared<std::promise<void>>();
    auto has_started = started->get_future();
    // The process is tied to the thread that starts it (PR_SET_PDEATHSIG): to this one, which
    // lives as long as it does.
    reading_ = std::thread([this, &arguments, started] {
        ::pthread_setname_np(::pthread_self(), "pb-plugin");
        try {
            process_ = spawn(options_.program, arguments);
        } catch (...) {
            return started->set_exception(std::current_exception());
        }
        reader_ = FrameReader(process_.socket.number());
        started->set_value();
        read();
    });
    try {
        has_started.get();
    } catch (...) {
        reading_.join();
        throw;
    }
}

void ChildProcess::wait_loaded(Milliseconds left) {
    std::unique_lock lock(mutex_);
    const bool in_time =
        loaded_.changed.wait_for(lock, left, [&] { return loaded_.is_answered || dead_; });
    if (!in_time) {
        kill_locked("it did not load within " + std::to_string(left.count()) + " ms");
        throw Error(ErrorKind::timed_out, killed_for_);
    }
    if (!loaded_.is_answered) throw Error(ErrorKind::unavailable, why_);
    wire::unpack(finished(loaded_), wire::Text::checked, marks_.recycle_at, marks_.full_at);
}

ChildProcess::Lane ChildProcess::lane_of(FrameKind kind, uint32_t method) {
    if (kind != FrameKind::call || deadline_of(method) == life_deadline) return control;
    return deadline_of(method) > 2s ? slow : quick;
}

std::string ChildProcess::ask(FrameKind kind, uint32_t method, std::string_view in,
                              Milliseconds left) {
    if (in.size() > detail::max_answer_bytes)
        throw Error(ErrorKind::refused, "more than 4 MiB cannot be handed to a plugin");
    const Until until = steady_clock::now() + left;
    const Lane lane = lane_of(kind, method);
    Pending pending{.method = method, .kind = kind, .for_whom = LogScope::ids()};
    std::unique_lock lock(mutex_);
    take_place(lock, lane, until);
    const auto leave = [&] {
        if (!lock.owns_lock()) lock.lock();
        --out_[lane];
        changed_.notify_all();
        lock.unlock();
        look_at_memory();
    };
    try {
        std::string answer = ask_locked(lock, pending, in, until);
        leave();
        return answer;
    } catch (...) {
        leave();
        throw;
    }
}

std::string ChildProcess::ask_locked(std::unique_lock<std::mutex>& lock, Pending& pending,
                                     std::string_view in, Until until) {
    const uint64_t id = ++last_id_;
    pending_.emplace(id, &pending);
    try {
        lock.unlock();
        const bool has_left = send_question(id, pending, in, until);
        lock.lock();
        pending.has_left = has_left;
        std::string answer = answer_of(lock, pending, until);
        pending_.erase(id);
        return answer;
    } catch (...) {
        if (!lock.owns_lock()) lock.lock();
        pending_.erase(id);
        throw;
    }
}

void ChildProcess::take_place(std::unique_lock<std::mutex>& lock, Lane lane, Until until) {
    const bool may_be_closed = lane == control;  // destroy comes after close().
    const auto may_begin = [&] {
        return dead_ || (closed_ && !may_be_closed) || out_[lane] < most_[lane];
    };
    if (!changed_.wait_until(lock, until, may_begin))
        throw Error(ErrorKind::unavailable, "the plugin is busy with as many calls as it may have");
    if (closed_ && !may_be_closed) throw Replaced();
    if (dead_) throw Error(ErrorKind::unavailable, why_);
    ++out_[lane];
}

// By the wall clock: of a lock that waits by the steady one ThreadSanitizer sees the unlocking
// only.
std::unique_lock<std::timed_mutex> ChildProcess::lock_writing(Until until) {
    return {writing_, std::chrono::system_clock::now() + (until - steady_clock::now())};
}

// False: the process does not have all of it, and is as good as dead.
bool ChildProcess::send_question(uint64_t id, const Pending& pending, std::string_view in,
                                 Until until) {
    bool sent = false;
    if (const auto writing = lock_writing(until); writing)
        sent = send_frame(process_.socket.number(),
                          {.kind = pending.kind, .id = id, .method = pending.method}, in, until);
    if (!sent && steady_clock::now() >= until) overrun(pending.method, pending.kind);
    return sent;
}

std::string ChildProcess::answer_of(std::unique_lock<std::mutex>& lock, Pending& pending,
                                    Until until) {
    const auto has_ended = [&] { return pending.is_answered || dead_; };
    if (!pending.changed.wait_until(lock, until, has_ended)) {
        lock.unlock();
        overrun(pending.method, pending.kind);
    }
    if (pending.is_answered) return finished(pending);
    Error error(ErrorKind::unavailable, why_);
    error.request_left = pending.has_left;
    if (was_alone_ && pending.has_left) error.code = process_died;
    throw error;
}

std::string ChildProcess::finished(Pending& pending) {
    const FrameHeader& header = pending.answer.header;
    if (header.flags & memory_ran_out) wants_replacing_ = is_full_ = true;
    if (header.status != 0) detail::rethrow(header.status, pending.answer.payload);
    return std::move(pending.answer.payload);
}

// The one way to end a call that does not end.
void ChildProcess::overrun(uint32_t method, FrameKind kind) {
    const std::string why = name_of(kind, method) + " did not end in time, the process was killed";
    kill(why);
    Error error(ErrorKind::timed_out, why);
    error.request_left = true;
    throw error;
}

void ChildProcess::look_at_memory() {
    if (marks_.recycle_at > 0 && !is_full_) {
        const uint64_t bytes = process_.data_bytes();
        if (bytes >= marks_.recycle_at) wants_replacing_ = true;
        if (bytes >= marks_.full_at) is_full_ = true;
    }
    if (wants_replacing_ && options_.on_change) options_.on_change();
}

// ---- The thread that reads ----

void ChildProcess::read() {
    pollfd waiting[] = {{process_.socket.number(), POLLIN, 0},
                        {process_.handle.number(), POLLIN, 0}};
    for (bool is_open = true; is_open;) {
        if (::poll(waiting, 2, -1) < 0) continue;
        const bool has_ended = waiting[1].revents != 0;
        is_open = read_what_came() && !has_ended;
    }
    // One that closed its socket and lives on is of no use.
    if (::poll(&waiting[1], 1, static_cast<int>(Milliseconds(last_words).count())) == 0)
        kill("it closed its connection to the hub");
    has_died();
    if (options_.on_change) options_.on_change();
}

bool ChildProcess::read_what_came() {
    try {
        for (;;) {
            const long count = reader_.fill(MSG_DONTWAIT);
            if (count < 0 && errno == EAGAIN) return true;
            if (count <= 0) return false;
            while (auto frame = reader_.take()) handle(std::move(*frame));
            if (count < static_cast<long>(FrameReader::read_bytes)) return true;
        }
    } catch (const BadFrame& error) {
        kill(std::string("it sent ") + error.what());
        return false;
    }
}

void ChildProcess::handle(Frame frame) {
    if (frame.header.kind == FrameKind::host_call) {
        auto self = shared_from_this();
        const bool is_flood = host_calls_.fetch_add(1) >= most_host_calls;
        if (is_flood || !pool_.post([self, frame = std::move(frame)] { self->serve(frame); })) {
            --host_calls_;
            kill("it has more host calls out than threads");
        }
        return;
    }
    if (frame.header.kind != FrameKind::answer) throw BadFrame("a question that is the hub's");
    const std::lock_guard lock(mutex_);
    Pending* pending = nullptr;
    if (frame.header.id == 0) pending = &loaded_;
    const auto found = pending_.find(frame.header.id);
    if (found != pending_.end()) pending = found->second;
    if (!pending || pending->is_answered) {
        if (killed_for_.empty()) throw BadFrame("an answer to what nobody asked");
        return;
    }
    pending->answer = std::move(frame);
    pending->is_answered = true;
    pending->changed.notify_all();
}

LogScope::Ids ChildProcess::for_whom(uint64_t call) const {
    const std::lock_guard lock(mutex_);
    const auto found = pending_.find(call);
    return found == pending_.end() ? LogScope::Ids{} : found->second->for_whom;
}

// On a thread of the pool.
void ChildProcess::serve(const Frame& frame) {
    const LogScope::Ids ids = for_whom(frame.header.within);
    const LogScope scope(ids.request_id, ids.trace);
    detail::StringSink out;
    FrameHeader answer{
        .kind = FrameKind::host_answer, .id = frame.header.id, .method = frame.header.method};
    answer.status = detail::guarded(out.sink(), [&] {
        const std::string said = options_.serve(frame.header.method, frame.payload);
        if (said.size() > detail::max_answer_bytes)
            throw Error(ErrorKind::refused, "the answer is over 4 MiB");
        detail::deliver(out.sink(), said);
    });
    const Until until = steady_clock::now() + life_deadline;
    const auto writing = lock_writing(until);
    if (!writing || !send_frame(process_.socket.number(), answer, out.text(), until))
        kill("it takes no answers");
    --host_calls_;
}

void ChildProcess::has_died() {
    const std::string ended_with = process_.reap();
    const std::lock_guard lock(mutex_);
    std::string calls;
    size_t count = 0;
    for (const auto& [id, pending] : pending_) {
        if (pending->is_answered) continue;
        calls += (count++ == 0 ? "" : ", ") + name_of(pending->kind, pending->method);
    }
    was_alone_ = count == 1 && !closed_;
    why_ = !killed_for_.empty() ? killed_for_
           : calls.empty()      ? "the process ended: " + ended_with
                                : "the process died in " + calls + ": " + ended_with;
    dead_ = true;
    loaded_.changed.notify_all();
    for (const auto& [id, pending] : pending_) pending->changed.notify_all();
    changed_.notify_all();
}

bool ChildProcess::is_dead() const {
    const std::lock_guard lock(mutex_);
    return dead_;
}

bool ChildProcess::is_lost() const {
    const std::lock_guard lock(mutex_);
    return dead_ || !killed_for_.empty();
}

std::string ChildProcess::why_lost() const {
    const std::lock_guard lock(mutex_);
    return dead_ ? why_ : killed_for_;
}

bool ChildProcess::close(Milliseconds left) {
    std::unique_lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
    return changed_.wait_for(lock, left, [&] { return dead_ || pending_.empty(); });
}

void ChildProcess::end(Milliseconds left) {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        if (!pending_.empty()) kill_locked("it was ended while calls were out");
    }
    try {
        ask(FrameKind::destroy, 0, {}, left);
    } catch (const Error&) {  // It is gone, which is what was asked for.
    }
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, left, [&] { return dead_; }))
        kill_locked("it did not end by itself");
    changed_.wait(lock, [&] { return dead_; });
}

void ChildProcess::kill(const std::string& why) {
    const std::lock_guard lock(mutex_);
    kill_locked(why);
}

// Through the handle: the number may be another's once it is reaped.
void ChildProcess::kill_locked(const std::string& why) {
    if (dead_ || !killed_for_.empty()) return;
    killed_for_ = why;
    ::pidfd_send_signal(process_.handle.number(), SIGKILL, nullptr, 0);
}

}  // namespace patchbay
