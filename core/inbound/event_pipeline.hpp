// From what a plugin understood to what is stored: dedupe, contact, consent, conversation, message,
// first jobs; one transaction.
#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "config/hub_config.hpp"
#include "inbound/ingress.hpp"
#include "messaging/mint.hpp"

namespace patchbay {

/// What became of one ingress row.
struct Routed {
    std::string state = "routed";  ///< routed or ignored
    std::string reason;            ///< why it was ignored; a fixed word where one fits
    int events = 0;                ///< new ones; repeats are not counted
    int repeats = 0;
    std::vector<std::string>
        queues;  ///< job queues that got work: wake their runners after the commit
};

/// The topic a plugin uses to say "nothing here for us": `code` is the reason kept with the row.
inline constexpr const char* topic_ignored = "ignored";
/// Such a `code`: the signature is good, the account is not ours (S49).
inline constexpr std::string_view reason_unknown_account = "unknown_account";

class EventPipeline {
public:
    /// Has the effects of events again that had them before (G24). `mark` names the replay: it
    /// stands in every row that the replay writes, and the same replay has no effect twice.
    struct Forced {
        std::string mark;
    };

    explicit EventPipeline(Mint& mint) : mint_(mint) {}

    /// Runs inside the caller's transaction. `ingress_id` 0: the events did not come from a
    /// webhook. `trace` goes on with the jobs. Throws on a broken event (no topic, no dedupe key):
    /// the row is tried again and then dead.
    Routed commit(Transaction& tx, const InstanceConfig& instance, int64_t ingress_id,
                  const std::vector<Event>& events, TimeMs now, const std::string& trace = {},
                  const std::optional<Forced>& forced = std::nullopt);

private:
    struct Context;
    struct Links {  ///< What an event led to; empty where there is no such thing.
        std::string contact_id, conversation_id, message_id;
    };
    Links effects_of(Context& context, const Event& event);
    void keep(Context& context, int64_t ingress_id, const Event& event, const Links& links);
    Links message_received(Context& context, const Event& event);
    Links delivery_changed(Context& context, const Event& event);
    void consent_changed(Context& context, const Event& event);

    Mint& mint_;
};

}  // namespace patchbay
