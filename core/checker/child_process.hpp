// One piece of work in a process of its own, so that a crash, an exit or an endless loop ends that
// piece only.
#pragma once
#include <chrono>
#include <functional>
#include <string>

namespace patchbay::checker {

struct ChildResult {
    bool answered = false;
    std::string answer;  ///< What the work returned.
    std::string ending;  ///< Without an answer: "crashed with SIGSEGV", "did not end in 10 s".
    std::string output;  ///< What it wrote to stdout and stderr: the last 2,000 bytes.
};

/// Runs `work` in a fork of this process and waits for its answer, at most `deadline`. The child
/// has no standard input; at the deadline it and what it started are killed. The calling process
/// should have one thread only: a lock that another one holds is held for ever in the child. Throws
/// std::runtime_error when no process can be made.
ChildResult run_in_child(const std::function<std::string()>& work,
                         std::chrono::milliseconds deadline);

}  // namespace patchbay::checker
