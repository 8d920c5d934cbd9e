// Audit records of what was refused to strangers: they decide how often, so not each gets a row.
#pragma once
#include <map>
#include <mutex>

#include "identity/audit.hpp"

namespace patchbay {

/// The first of equal refusals (action, object, actor, address) is recorded at once; those of the
/// next ten minutes are counted and told by the record after them. All together: a hundred at once,
/// then one in a minute. [any thread] Never waits and never throws.
class AuditRefusals {
public:
    explicit AuditRefusals(Store& store) : store_(store) {}
    void note(AuditRecord record);

private:
    struct Seen {
        TimeMs until = 0;
        int64_t not_recorded = 0;
    };
    bool admits(TimeMs now);
    Store& store_;
    std::mutex mutex_;
    std::map<std::string, Seen> seen_;
    TimeMs full_at_ = 0;
    int64_t left_out_ = 0;
};

}  // namespace patchbay
