// Jobs that were running when the process died too often run alone, so that the next death tells
// which of them it was (G15).
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace patchbay {

inline constexpr int64_t crashes_before_probation = 3;
inline constexpr int64_t crashes_before_quarantine = 6;
inline constexpr const char* quarantine_reason = "the process died too often while it ran";

/// Shared by all runners of a process. [any thread]
class Probation {
public:
    /// Held while a handler runs. `alone`: waits until no other handler runs and lets none begin;
    /// after 35 s it goes on all the same, since a handler that hangs must not stop everything.
    class Turn {
    public:
        Turn(Probation& probation, bool alone);
        ~Turn();
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        /// The handler does not come back: others need not wait for it. [any thread]
        void end();

    private:
        Probation& probation_;
        const bool alone_;
        bool has_ended_ = false;
    };

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    unsigned running_ = 0;
    bool reserved_ = false;  ///< One runs alone, or waits to.
};

}  // namespace patchbay
