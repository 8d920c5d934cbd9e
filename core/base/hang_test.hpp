// For tests: code that hangs as a plugin's may, and whoever finds that out.
#pragma once
#include <latch>
#include <patchbay/errors.hpp>

#include "base/abandonable.hpp"

namespace patchbay {

/// One thread hangs in it. [any thread]
class Hang {
public:
    /// Returns as a call through a lease does that comes back too late: Error(timed_out).
    void here() {
        hung_ = &work_in_hand();
        hangs_.count_down();
        let_go_.wait();
        throw Error(ErrorKind::timed_out, "the plugin did not answer in time");
    }
    /// Waits for the thread, and gives up its work as the watchdog does.
    void give_up() {
        hangs_.wait();
        patchbay::give_up(*hung_);
    }
    /// The lost thread comes back.
    void let_go() { let_go_.count_down(); }

private:
    WorkInHand* hung_ = nullptr;
    std::latch hangs_{1}, let_go_{1};
};

}  // namespace patchbay
