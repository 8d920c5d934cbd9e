// A plugin in a process of its own, seen from the hub.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/log.hpp"
#include "http/worker_pool.hpp"
#include "plugins/loaded_plugin.hpp"
#include "plugins/process/frame.hpp"
#include "plugins/process/spawn.hpp"

namespace patchbay {

/// One process, from its start to its end; it is never started again. It ends when this object
/// does, and with the hub however that ends. [any thread] All waiting is bounded by what the caller
/// has left: a call that is not answered by then takes the process with it.
class ChildProcess : public std::enable_shared_from_this<ChildProcess> {
public:
    struct Options {
        std::filesystem::path program, library;
        std::string instance, plugin;
        uint64_t memory_bytes = 0;
        uint32_t files = 256;
        uint32_t concurrency =
            8;  ///< Of calls that may take long, and again of those that may not.
        HostCall serve;
        /// It has died, or wants to be replaced. Must not block or throw.
        std::function<void()> on_change;
    };
    using Milliseconds = std::chrono::milliseconds;

    /// Thrown to who comes when another process has taken over: ask that one.
    struct Replaced {};

    /// Host calls run on `pool`, which is to stop after the last reference is gone. Dropping that
    /// kills the process and waits for its end; never on a thread of `pool`, nor with a lock that
    /// `on_change` takes. Throws Error(unavailable) when there can be no process.
    static std::shared_ptr<ChildProcess> start(Options options, WorkerPool& pool);
    /// Threads of a pool that can serve all host calls of one process at once.
    static uint32_t host_threads(uint32_t concurrency);

    ~ChildProcess() = default;
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// Waits until the library is open. Throws what the process said, or Error(unavailable).
    void wait_loaded(Milliseconds left);

    /// One question, by a call or about the library. Throws what the plugin threw;
    /// Error(unavailable) when the process died, with request_left once it may have begun;
    /// Error(timed_out) in the same way.
    std::string ask(FrameKind kind, uint32_t method, std::string_view in, Milliseconds left);

    bool is_dead() const;
    /// Dead, or killed and about to be.
    bool is_lost() const;
    std::string why_lost() const;
    bool wants_replacing() const { return wants_replacing_; }
    /// A call that begins now may find no memory: wait for the next process.
    bool is_full() const { return is_full_; }

    /// No further call begins; those that are out end. False: not all within `left`.
    bool close(Milliseconds left);
    /// Destroys the instance in it, and waits for the process to go. Calls that are still out end
    /// with an error.
    void end(Milliseconds left);
    void kill(const std::string& why);

private:
    struct Pending {
        uint32_t method = 0;
        FrameKind kind = FrameKind::call;
        LogScope::Ids for_whom{};
        bool is_answered = false, has_left = true;
        Frame answer{};
        std::condition_variable changed{};
    };
    /// Calls that may take long do not keep out those that may not.
    enum Lane { quick, slow, control, lanes };
    using Until = std::chrono::steady_clock::time_point;

    ChildProcess(Options options, WorkerPool& pool);
    void begin();
    static Lane lane_of(FrameKind kind, uint32_t method);
    std::string ask_locked(std::unique_lock<std::mutex>& lock, Pending& pending,
                           std::string_view in, Until until);
    void take_place(std::unique_lock<std::mutex>& lock, Lane lane, Until until);
    std::unique_lock<std::timed_mutex> lock_writing(Until until);
    bool send_question(uint64_t id, const Pending& pending, std::string_view in, Until until);
    std::string answer_of(std::unique_lock<std::mutex>& lock, Pending& pending, Until until);
    std::string finished(Pending& pending);
    [[noreturn]] void overrun(uint32_t method, FrameKind kind);

    void read();
    bool read_what_came();
    void handle(Frame frame);
    void serve(const Frame& frame);
    LogScope::Ids for_whom(uint64_t call) const;
    void has_died();
    void look_at_memory();
    void kill_locked(const std::string& why);

    const Options options_;
    WorkerPool& pool_;
    const std::array<uint32_t, lanes> most_;
    Spawned process_;
    FrameReader reader_;

    std::timed_mutex writing_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<uint64_t, Pending*> pending_;
    std::array<uint32_t, lanes> out_{};
    uint64_t last_id_ = 0;
    Pending loaded_;
    bool dead_ = false, closed_ = false, was_alone_ = false;
    std::string killed_for_, why_;  // Why we ended it; why it is dead.

    MemoryMarks marks_;  // Set by wait_loaded().
    std::atomic<bool> wants_replacing_{false}, is_full_{false};
    std::atomic<uint32_t> host_calls_{0};
    std::thread reading_;
};

}  // namespace patchbay
