// What staff does about a single delivery: try it again, or call it off.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "delivery/outbox.hpp"

namespace patchbay {

enum class Intervention {
    done,
    not_found,
    running,  ///< A try is under way, or its outcome is being found out.
    finished  ///< Ended: nothing to call off, or to try again.
};

struct Retried {
    Intervention result = Intervention::done;
    int64_t job_id =
        0;  ///< The one that runs now: a failed send is repeated as a new message (`resend_of`).
    std::string queue;  ///< To be woken after the commit.
};
/// Dead: again with all its attempts. Waiting for a retry: now. Throws SendRefused where the
/// message may not be sent any more.
Retried retry_delivery(Transaction& tx, Mint& mint, int64_t job_id, TimeMs now);

struct Cancelled {
    Intervention result = Intervention::done;
    std::string queue;
};
Cancelled cancel_delivery(Transaction& tx, int64_t job_id, TimeMs now);

/// The message once more, as a new one that names the old one. Throws SendRefused.
QueuedMessage resend_message(Transaction& tx, Mint& mint, const std::string& message_id,
                             TimeMs now);

}  // namespace patchbay
