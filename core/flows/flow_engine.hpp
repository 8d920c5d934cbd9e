// Runs one step of a flow for one inbound message: read with version, run the plugin outside of any
// transaction, commit where the version is still what was read (data-model.md section 5).
#pragma once
#include <functional>
#include <string>

#include "delivery/jobs.hpp"
#include "messaging/mint.hpp"
#include "messaging/views.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

/// Handler of queue `flow`. [any thread]; two jobs of one conversation never run at once, their
/// lane sees to that.
class FlowEngine {
public:
    /// `wake(queue)` is called after a commit that enqueued jobs there.
    FlowEngine(Store& store, PluginHost& plugins, Mint& mint,
               std::function<void(const std::string&)> wake);

    /// Ends the job in the same transaction as the step's effects: they and its end are one. Throws
    /// LeaseLost, and Error where the step could not be run; the runner then tries again.
    void run(const ClaimedJob& job);

private:
    struct Situation;
    struct Session;
    Situation read(const ClaimedJob& job);
    StepResult run_step(const ClaimedJob& job, const Situation& situation);
    void commit(const ClaimedJob& job, const Situation& situation, const StepResult& result);
    void save_session(Transaction& tx, const ClaimedJob& job, const Situation& situation,
                      const StepResult& result, TimeMs now);

    Store& store_;
    PluginHost& plugins_;
    Mint& mint_;
    std::function<void(const std::string&)> wake_;
};

}  // namespace patchbay
