// Finds out what became of sends whose outcome is unknown: evidence, then the look-up, then the
// channel's policy (guarantees section 5). It never sends.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "delivery/channel_gate.hpp"
#include "delivery/sender.hpp"

namespace patchbay {

/// What a resolver holds; fenced like any job. Its claim ends 45 s after it began.
struct UnknownJob {
    int64_t id = 0, looks = 0, token = 0, attempt = 0;
    std::string queue, lane, ref, kind, trace;
};
std::vector<UnknownJob> claim_unknown(Transaction& tx, const std::string& owner, size_t count,
                                      TimeMs now);

class UnknownResolver {
public:
    /// nullptr from `gates`: not a channel of ours; its jobs are simply tried again.
    using Gates = std::function<std::shared_ptr<ChannelGate>(const std::string& queue)>;
    UnknownResolver(DeliveryContext& context, Gates gates);

    /// Resolves what is due, at most `count` jobs, on the caller's thread. Answers how many it
    /// took. [any thread]
    size_t step(size_t count = 8);

private:
    struct Finding;
    // `asks` false: the look-up did not come back in time, and is not made again.
    void try_to_resolve(const UnknownJob& job, bool asks);
    void resolve(const UnknownJob& job, bool asks);
    Finding find_out(const UnknownJob& job, bool asks);
    Finding by_policy(const UnknownJob& job, const Capabilities& capabilities,
                      const OutboundMessage& message);
    std::optional<Finding> look_up(PluginLease& plugin, const UnknownJob& job,
                                   const OutboundMessage& message, bool asks);
    std::string apply(Transaction& tx, const UnknownJob& job, const Finding& finding, TimeMs now);
    void end(Transaction& tx, const UnknownJob& job, const std::string& state,
             const std::string& seen, const std::string& error, TimeMs now);

    DeliveryContext& context_;
    Gates gates_;
};

}  // namespace patchbay
