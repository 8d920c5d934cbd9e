// The audit record: who did what, to what, from where, and what it was before (S84). Rows are only
// ever added, each with the hash of the one before, so that a change in the middle shows.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "http/exchange.hpp"
#include "store/store.hpp"

namespace patchbay {

struct AuditRecord {
    std::string action;                   ///< "user.change", "login.failed": object and verb.
    std::string object_type{}, object{};  ///< "user" and its id; empty where there is none.
    JsonObject before{}, after{};         ///< What changed, without secrets; both pass redact().
    std::string actor_type = "system";    ///< user, key, local, anonymous, provider, system
    std::string actor{}, remote{}, request_id{};
};

/// A record of what this request does.
AuditRecord audit_of(const ExchangePtr& exchange, std::string action, std::string object_type = {},
                     std::string object = {});

/// Part of the caller's transaction: what is rolled back has not happened, and is not recorded.
void append_audit(Transaction& tx, const AuditRecord& record, TimeMs now);

struct AuditHead {
    int64_t seq = 0;
    std::string hash;
};
struct AuditCheck {
    int64_t rows = 0;
    AuditHead head;       ///< The newest row. Kept elsewhere it also shows a cut at this end.
    std::string problem;  ///< The first that does not hold; empty: the chain is whole.
};
/// Reads the whole table.
AuditCheck check_audit(Session& session);

/// Removes one batch of records from before `before`; a record of that is where the chain then
/// begins. True: there is more to remove.
bool trim_audit(Transaction& tx, TimeMs before, TimeMs now);

}  // namespace patchbay
