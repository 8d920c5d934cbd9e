#include "store/write_queue.hpp"

#include <algorithm>

namespace patchbay {
namespace {

bool is_background(Urgency urgency) {
    return urgency == Urgency::background || urgency == Urgency::overdue;
}

}  // namespace

void WriteQueue::add(Item item) {
    {
        const std::lock_guard lock(mutex_);
        if (closed_) throw StoreError(StoreError::Kind::unavailable, "the store is closing");
        std::deque<Item>& queue = is_background(item.urgency) ? background_ : first_;
        if (queue.size() >= max_of_each_)
            throw StoreError(StoreError::Kind::unavailable, "too many writes are waiting");
        if (item.urgency == Urgency::overdue) ++overdue_;
        queue.push_back(std::move(item));
    }
    added_.notify_one();
}

void WriteQueue::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    added_.notify_one();
}

std::optional<WriteQueue::Group> WriteQueue::take(
    Taking taking, std::optional<std::chrono::milliseconds> longest) {
    std::unique_lock lock(mutex_);
    const auto is_due = [this] { return closed_ || !first_.empty() || !background_.empty(); };
    if (longest)
        added_.wait_for(lock, *longest, is_due);
    else
        added_.wait(lock, is_due);
    if (first_.empty() && background_.empty()) return std::nullopt;
    Group group;
    const size_t count = std::min(first_.size(), most_of_first_class());
    const auto end = first_.begin() + static_cast<std::ptrdiff_t>(count);
    group.reserve(count);
    std::move(first_.begin(), end, std::back_inserter(group));
    first_.erase(first_.begin(), end);
    if (taking == Taking::everything)
        while (!background_.empty() && group.size() < max_group) group.push_back(pop_background());
    return group;
}

std::optional<WriteQueue::Item> WriteQueue::next_of_background(bool others,
                                                               bool has_had_its_share) {
    const std::lock_guard lock(mutex_);
    if (background_.empty()) return std::nullopt;
    const bool somebody_waits = others || !first_.empty();
    if (has_had_its_share && somebody_waits && overdue_ == 0) return std::nullopt;
    return pop_background();
}

size_t WriteQueue::most_of_first_class() const {
    if (overdue_ > 0) return most_beside_overdue;
    return background_.empty() ? max_group : max_group - kept_for_background;
}

WriteQueue::Item WriteQueue::pop_background() {
    Item item = std::move(background_.front());
    background_.pop_front();
    if (item.urgency == Urgency::overdue) --overdue_;
    return item;
}

bool WriteQueue::has_background() const {
    const std::lock_guard lock(mutex_);
    return !background_.empty();
}

bool WriteQueue::is_closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
}

size_t WriteQueue::size() const {
    const std::lock_guard lock(mutex_);
    return first_.size() + background_.size();
}

}  // namespace patchbay
