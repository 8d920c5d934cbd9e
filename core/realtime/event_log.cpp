#include "realtime/event_log.hpp"

namespace patchbay {
namespace {

size_t size_of(const LiveEvent& event) { return sizeof event + event.text->size(); }

}  // namespace

const LiveEvent& EventLog::append(LiveEvent event) {
    bytes_ += size_of(event);
    events_.push_back(std::move(event));
    while (events_.size() > 1 && bytes_ > limits_.bytes) forget_first();
    forget_old(events_.back().at);
    return events_.back();
}

void EventLog::forget_old(TimeMs now) {
    while (!events_.empty() && events_.front().at < now - limits_.age.count()) forget_first();
}

void EventLog::clear() {
    while (!events_.empty()) forget_first();
}

void EventLog::forget_first() {
    bytes_ -= size_of(events_.front());
    events_.pop_front();
    ++begin_;
}

}  // namespace patchbay
