#include "store/start_check.hpp"

namespace patchbay {

StartCheck::StartCheck(const std::filesystem::path& file)
    : connection_(file, Connection::Role::reader), thread_([this] { run(); }) {}

StartCheck::~StartCheck() {
    // Again and again: an interrupt before the check has begun would be lost.
    std::unique_lock lock(mutex_);
    while (!has_ended_) {
        connection_.interrupt();
        ended_.wait_for(lock, std::chrono::milliseconds(10));
    }
    lock.unlock();
    thread_.join();
}

void StartCheck::run() {
    std::optional<StoreError> found;
    try {
        connection_.quick_check();
    } catch (const StoreError& error) {
        found = error;
    }
    const std::lock_guard lock(mutex_);
    found_ = found;
    has_ended_ = true;
    if (report_ && found && found->kind == StoreError::Kind::corrupt) report_(*found);
    ended_.notify_all();
}

bool StartCheck::wait_for(std::chrono::milliseconds longest) {
    std::unique_lock lock(mutex_);
    if (!ended_.wait_for(lock, longest, [this] { return has_ended_; })) return false;
    if (found_) throw *found_;
    return true;
}

void StartCheck::report_to(std::function<void(const StoreError&)> report) {
    const std::lock_guard lock(mutex_);
    if (found_ && found_->kind == StoreError::Kind::corrupt) report(*found_);
    report_ = std::move(report);
}

bool StartCheck::has_passed() const {
    const std::lock_guard lock(mutex_);
    return has_ended_ && !found_;
}

}  // namespace patchbay
