// Watches the calls into plugins that run in this process: a call that overruns is answered in the
// plugin's place (plugin-sdk.md section 6).
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <patchbay/sdk.hpp>
#include <thread>

#include "base/abandonable.hpp"

namespace patchbay {

/// Whose code a watched call runs. Told on the watchdog's thread, or on the one that came back:
/// short, no throw.
class Callee {
public:
    /// The thread is lost in a call; `to_blame` is false where it was lost in another plugin that
    /// this one had called.
    virtual void thread_lost(uint32_t method, bool to_blame) noexcept = 0;
    virtual void thread_back(uint32_t method, bool was_to_blame) noexcept = 0;

protected:
    ~Callee() = default;
};

/// [any thread] A call costs it two short locks.
class Watchdog {
public:
    using SteadyTime = std::chrono::steady_clock::time_point;

    /// Code of Error(timed_out) where the host answered in the plugin's place.
    static constexpr const char* overrun_code = "plugin_timed_out";
    /// What a call gets beyond its deadline: a plugin that keeps to it has to get home.
    static constexpr std::chrono::milliseconds grace{250};

    Watchdog() = default;
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    /// Runs `work`, a call of `method` that may take `allowed`. Afterwards the work of the thread
    /// is given up: see Abandonable. Throws what `work` throws; Error(timed_out) with overrun_code
    /// when it came back too late, and for every call that begins on a thread which is lost.
    template <class Work>
    auto watch(Callee& callee, uint32_t method, std::chrono::milliseconds allowed, Work&& work) {
        Watched call{*this, callee, method, allowed};
        try {
            if constexpr (std::is_void_v<decltype(work())>) {
                work();
                call.leave();
            } else {
                auto result = work();
                call.leave();
                return result;
            }
        } catch (...) {
            call.leave();
            throw;
        }
    }

    /// Gives up what is overdue at `now`; answers when to look again. The watchdog's own thread
    /// does this; a test may, with a time that it makes up.
    SteadyTime look(SteadyTime now);

private:
    // On the stack of the thread that calls.
    class Watched {
    public:
        Watched(Watchdog& dog, Callee& callee, uint32_t method, std::chrono::milliseconds allowed);
        ~Watched();
        Watched(const Watched&) = delete;
        Watched& operator=(const Watched&) = delete;
        void leave();  // Throws when it is too late.

    private:
        friend class Watchdog;
        Watchdog& dog_;
        Callee& callee_;
        WorkInHand& work_;
        const uint32_t method_;
        SteadyTime until_;
        Watched* before_ = nullptr;
        Watched* after_ = nullptr;
        bool entered_ = false, late_ = false, to_blame_ = false, being_told_ = false;
    };

    void enter(Watched& call);
    bool remove(Watched& call);  // True: it was late.
    void unlink(Watched& call);
    Watched* next_overdue(SteadyTime now);
    void run();

    std::mutex mutex_;
    std::condition_variable earlier_;  // Than the thread means to wake up; or the end.
    std::condition_variable told_;
    Watched* first_ = nullptr;
    uint64_t entered_ = 0;
    SteadyTime wakes_at_ = SteadyTime::max();
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace patchbay
