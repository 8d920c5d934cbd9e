// How much memory the calls of one instance may hold: so that one channel whose provider answers
// with much does not take what the others need (guarantees section 8, G19).
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace patchbay {

/// [any thread] Outlives every Share.
class ByteBudget {
public:
    explicit ByteBudget(size_t bytes_each) : bytes_each_(bytes_each) {}

    /// Held while a call runs.
    class Share {
    public:
        Share(Share&& other) noexcept
            : budget_(std::exchange(other.budget_, nullptr)),
              holder_(std::move(other.holder_)),
              bytes_(other.bytes_) {}
        Share& operator=(Share&&) = delete;
        ~Share() {
            if (budget_) budget_->give_back(holder_, bytes_);
        }

    private:
        friend ByteBudget;
        Share(ByteBudget* budget, std::string holder, size_t bytes)
            : budget_(budget), holder_(std::move(holder)), bytes_(bytes) {}
        ByteBudget* budget_;
        std::string holder_;
        size_t bytes_;
    };

    /// Waits for room, `longest` at most. nullopt: there was none. What is larger than the whole
    /// budget waits until nothing else is under way.
    std::optional<Share> take(const std::string& holder, size_t bytes,
                              std::chrono::milliseconds longest) {
        std::unique_lock lock{mutex_};
        size_t& held = held_[holder];  // Stays: one for each instance.
        const auto has_room = [&] { return held == 0 || held + bytes <= bytes_each_; };
        if (!given_back_.wait_for(lock, longest, has_room)) return std::nullopt;
        held += bytes;
        return Share{this, holder, bytes};
    }

private:
    void give_back(const std::string& holder, size_t bytes) {
        {
            const std::lock_guard lock{mutex_};
            held_[holder] -= bytes;
        }
        given_back_.notify_all();
    }

    const size_t bytes_each_;
    std::mutex mutex_;
    std::condition_variable given_back_;
    std::map<std::string, size_t> held_;
};

}  // namespace patchbay
