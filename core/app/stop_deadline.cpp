#include "app/stop_deadline.hpp"

#include <unistd.h>

#include <cstdlib>

#include "base/log.hpp"

namespace patchbay {

StopDeadline::StopDeadline(std::chrono::milliseconds longest)
    : thread_([this, longest] {
          std::unique_lock lock{mutex_};
          if (done_.wait_for(lock, longest, [this] { return called_off_; })) return;
          log_error("app", "something hangs and is left behind, the process ends without it",
                    {{"part", part_.load()}});
          _exit(EXIT_SUCCESS);  // No destructor: they would wait for what hangs.
      }) {}

StopDeadline::~StopDeadline() {
    {
        const std::lock_guard lock{mutex_};
        called_off_ = true;
    }
    done_.notify_all();
    thread_.join();
}

}  // namespace patchbay
