// Work whose thread may not come back. Code of a plugin that hangs cannot be taken off its thread:
// its work is ended by another one, and where the lost thread comes back after all, what it does is
// void.
#pragma once
#include <atomic>
#include <functional>
#include <vector>

namespace patchbay {

/// What is left to do for work that was given up, in order. It runs on another thread, maybe after
/// the lost one came back: so it owns what it uses. It must not throw.
using Rest = std::vector<std::function<void()>>;

class Abandonable;

/// Where one thread stands.
struct WorkInHand {
    Abandonable* innermost = nullptr;
    unsigned calls = 0;  ///< Into plugins, one in the other.
    std::atomic<bool> lost{false};
};
/// Of this thread.
WorkInHand& work_in_hand();

/// Another thread has this one's work: leave, and write nothing. True until the outermost
/// Abandonable ends.
bool this_thread_is_lost();

/// A piece of work on this thread, for as long as it lives. Lies in others; the innermost is told
/// first.
class Abandonable {
public:
    /// `abandon` is called on another thread while this one hangs somewhere inside, and sees all
    /// that this one had when it went in. It does not wait and does not throw. It adds to the rest;
    /// one that has a thread for it takes it.
    explicit Abandonable(std::function<void(Rest&)> abandon);
    ~Abandonable();
    Abandonable(const Abandonable&) = delete;
    Abandonable& operator=(const Abandonable&) = delete;

private:
    friend void give_up(WorkInHand& work);
    const std::function<void(Rest&)> abandon_;
    Abandonable* const outer_;
};

/// Gives up the work of a thread that hangs, once. The caller sees to it that the thread stays
/// inside until this returns. What nobody took runs here.
void give_up(WorkInHand& work);

}  // namespace patchbay
