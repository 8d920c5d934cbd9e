// The check of the file after an unclean stop.
#pragma once
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "store/connection.hpp"

namespace patchbay {

/// Runs PRAGMA quick_check on a connection of its own. It reads 1.5 GB/s from memory but no faster
/// than the disk otherwise, and a server has to be ready again within 5 s (G10): what takes longer
/// goes on in the background.
class StartCheck {
public:
    explicit StartCheck(const std::filesystem::path& file);
    ~StartCheck();  ///< Interrupts it.

    /// True when it has ended in time; throws StoreError(corrupt) when it has found damage.
    bool wait_for(std::chrono::milliseconds longest);
    /// `report` is called with what is found from now on, on the thread of the check.
    void report_to(std::function<void(const StoreError&)> report);
    /// Ended and found nothing.
    bool has_passed() const;

private:
    void run();

    mutable std::mutex mutex_;
    std::condition_variable ended_;
    bool has_ended_ = false;
    std::optional<StoreError> found_;
    std::function<void(const StoreError&)> report_;
    Connection connection_;
    std::thread thread_;  ///< Last: it uses everything above.
};

}  // namespace patchbay
