// All of delivery as one object: a runner for each queue, the resolver of unknown outcomes, and
// what time brings.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "delivery/channel_gate.hpp"
#include "delivery/job_runner.hpp"
#include "delivery/outbox.hpp"
#include "delivery/outcome_board.hpp"
#include "delivery/recovery.hpp"
#include "delivery/sender.hpp"

namespace patchbay {

/// [any thread] Before start: register_worker, Ids with its node, recover.
class Delivery {
public:
    /// `owner` as in WorkerInfo. `changed` is told of every status that delivery itself raised,
    /// after the commit.
    Delivery(Store& store, Ids& ids, LeaseSource leases, std::string owner,
             std::function<void(const MessageChange&)> changed = {});
    ~Delivery();  ///< stop() without grace

    /// Also after start(). A channel whose plugin is not active yet waits for it. A second one of
    /// the same name gives it other limits. There is no way to remove one: without its plugin it
    /// sleeps, and what is queued for it stays.
    void add_channel(const ChannelSettings& settings);
    /// A queue of another folder: flow, rules, media, webhooks.
    /// With a gate, jobs start when it says.
    void add_queue(const std::string& queue, unsigned workers, JobRunner::Handler handler,
                   std::shared_ptr<Gate> gate = nullptr);
    /// What else is deleted when its time is over: one batch each call, true while there is more.
    /// Before start().
    void also_sweep(std::function<bool()> sweep);
    void start();
    /// Nothing new is claimed; waits up to `grace`, hands back the rest (G11). Then the row of this
    /// process goes, unless a handler is left running: the next start must find its jobs.
    StopReport stop(std::chrono::milliseconds grace);

    /// After a commit that made jobs of this queue ready.
    void wake(const std::string& queue);
    OutcomeBoard& outcomes();

    /// The sends of a channel wait, without using attempts; kept over restarts.
    void pause(const std::string& channel, const std::string& reason);
    /// By an operator.
    void resume(const std::string& channel);
    /// `mark` is a number made of the channel's credentials. Where it is another than at the last
    /// call, of this process or one before, a channel that was paused because they were refused
    /// goes on (F23).
    void credentials_are(const std::string& channel, int64_t mark);
    std::optional<std::string> paused(const std::string& channel) const;
    /// What the channel can carry, for Draft::limits. Never calls the plugin.
    SendLimits limits(const std::string& channel) const;

    struct QueueState {
        std::string queue;
        JobRunner::Counters counters;
        ChannelGate::Counters sends;  ///< Of channels.
        bool breaker_open = false;
        std::optional<std::string> paused;
    };
    std::vector<QueueState> state() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay
