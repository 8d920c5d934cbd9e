// How often, and how soon, a plugin's process is started again.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace patchbay {

/// Not thread-safe.
class RestartBudget {
public:
    using Time = std::chrono::steady_clock::time_point;

    RestartBudget(uint32_t most, std::chrono::milliseconds per) : most_(most), per_(per) {}

    /// One more death: how long to wait before the next start, from 1 s, doubled by each restart
    /// of the last `per`, to 60 s. nullopt: they were too many.
    std::optional<std::chrono::milliseconds> take(Time now) {
        while (!taken_.empty() && now - taken_.front() >= per_) taken_.pop_front();
        if (taken_.size() >= most_) return std::nullopt;
        const auto doublings = std::min<size_t>(taken_.size(), 6);
        taken_.push_back(now);
        return std::min(std::chrono::milliseconds{1'000} * (1 << doublings),
                        std::chrono::milliseconds{60'000});
    }

private:
    uint32_t most_;
    std::chrono::milliseconds per_;
    std::deque<Time> taken_;
};

}  // namespace patchbay
