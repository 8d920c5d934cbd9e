#include "identity/audit_refusals.hpp"

#include <algorithm>
#include <chrono>

#include "base/log.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr int64_t same_for = std::chrono::milliseconds{10min}.count();
constexpr int64_t step = std::chrono::milliseconds{1min}.count();
constexpr int64_t burst = 100;
constexpr size_t most_known = 1024;

}  // namespace

bool AuditRefusals::admits(TimeMs now) {
    if (full_at_ + step > now + burst * step) return false;
    full_at_ = std::max(full_at_, now) + step;
    return true;
}

void AuditRefusals::note(AuditRecord record) {
    const TimeMs now = store_.clock().now_ms();
    const std::string key = record.action + '\n' + record.object_type + '\n' + record.object +
                            '\n' + record.actor + '\n' + record.remote;
    int64_t repeated = 0, left_out = 0;
    {
        const std::lock_guard lock(mutex_);
        if (seen_.size() >= most_known) {
            std::erase_if(seen_, [&](const auto& one) { return one.second.until <= now; });
        }
        const auto known = seen_.find(key);
        if (known != seen_.end() && known->second.until > now) {
            ++known->second.not_recorded;
            return;
        }
        if ((known == seen_.end() && seen_.size() >= most_known) || !admits(now)) {
            ++left_out_;
            return;
        }
        repeated = known == seen_.end() ? 0 : known->second.not_recorded;
        left_out = std::exchange(left_out_, 0);
        seen_[key] = {now + same_for, 0};
    }
    if (!record.after) record.after = make_object();
    if (repeated > 0) record.after->set("repeated", repeated);
    if (left_out > 0) record.after->set("others_left_out", left_out);
    try {
        store_.write_async(
            [record = std::move(record), now](Transaction& tx) { append_audit(tx, record, now); },
            {}, Urgency::background);
    } catch (const StoreError& error) {
        log_warn("identity", "a refusal could not be recorded", {{"error", error.what()}});
    }
}

}  // namespace patchbay
