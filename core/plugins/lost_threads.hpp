// The threads that do not come back from one instance, and when there are too many.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace patchbay {

/// Of all generations of an instance. [any thread]
class LostThreads {
public:
    using SteadyTime = std::chrono::steady_clock::time_point;
    static constexpr size_t too_many = 4;  ///< Of one generation, within `window`.
    static constexpr std::chrono::hours window{1};

    /// `generation` has lost too many: told once for each. Short: it runs on the watchdog's thread.
    using Told = std::function<void(int64_t generation, const std::string& why)>;
    explicit LostThreads(Told told) : told_(std::move(told)) {}

    void lost(int64_t generation, std::string_view call, SteadyTime now);
    void back();
    /// Nobody is told any more.
    void forget_listener();
    int64_t hanging() const;

private:
    mutable std::mutex mutex_;
    Told told_;
    int64_t hanging_ = 0;
    int64_t generation_ = -1;
    std::array<SteadyTime, too_many> last_{};  // A ring.
    size_t count_ = 0;
};

}  // namespace patchbay
