// The end of a stop that does not end: plugin code that hangs cannot be taken off its thread.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace patchbay {

/// From its making on the process has `longest` to stop; then it ends as it is, with a line in the
/// log that names the part it was at, and with exit code 0: what is committed stays, the rest is
/// taken up by the next start as after a kill (G11). Unmaking it calls that off.
class StopDeadline {
public:
    explicit StopDeadline(std::chrono::milliseconds longest);
    ~StopDeadline();
    StopDeadline(const StopDeadline&) = delete;
    StopDeadline& operator=(const StopDeadline&) = delete;

    /// What is being stopped from here on; a literal.
    void at(const char* part) { part_ = part; }

private:
    std::atomic<const char*> part_{"the server"};
    std::mutex mutex_;
    std::condition_variable done_;
    bool called_off_ = false;
    std::thread thread_;
};

}  // namespace patchbay
