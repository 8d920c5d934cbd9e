// Webhooks that were kept, taken to the plugin once more (G24). By itself that has no effect twice:
// every event has its key (G3), so only what was dead, ignored or never understood gets its effects
// now. A forced replay has them again, marked in every row.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/current_config.hpp"
#include "delivery/channel_gate.hpp"
#include "delivery/tasks.hpp"
#include "inbound/event_pipeline.hpp"
#include "inbound/understand.hpp"

namespace patchbay {

inline constexpr size_t most_replay_ids = 1'000;

/// Either ids, or a stretch of time.
struct ReplayOrder {
    std::vector<int64_t> ids;     ///< Of table ingress; rising.
    std::string instance;         ///< Empty: all.
    TimeMs since = 0, until = 0;  ///< Until: exclusive.
    bool force = false;
    std::string actor;  ///< "user:<id>"
};
/// How many webhooks that are.
int64_t count_replay(Session& session, const ReplayOrder& order);

/// The id of the task. After the commit wake `tasks`.
std::string start_replay(Transaction& tx, Ids& ids, const ReplayOrder& order, int64_t total,
                         TimeMs now);
/// Webhooks whose turn has not come.
int64_t left_to_replay(const TaskView& task);

/// What is not replayed yet stays so, until it is resumed. False: it does not run.
bool stop_replay(Transaction& tx, const std::string& task_id, TimeMs now);
/// Goes on where it was stopped. False: it was not. After the commit wake `tasks`.
bool resume_replay(Transaction& tx, Ids& ids, const std::string& task_id, TimeMs now);

/// Works on jobs of kind `replay`, some webhooks at a time, each slice one transaction with what it
/// has come to: a kill costs nothing, also of a forced one. [any thread]
class Replayer {
public:
    struct Needs {
        const CurrentConfig& config;
        Store& store;
        Mint& mint;
        LeaseSource leases;
        std::function<void(const std::string& queue)> wake;
    };
    explicit Replayer(Needs needs) : needs_(std::move(needs)), pipeline_(needs_.mint) {}
    void add_to(TaskRunner& runner);
    void run(const ClaimedJob& job);

private:
    struct Slice;
    struct Tally;
    std::optional<Slice> read(const ClaimedJob& job);
    void understand_all(Slice& slice);
    void commit(const ClaimedJob& job, Slice& slice, size_t from, size_t to);
    void commit_one(Transaction& tx, const Slice& slice, size_t place, Tally& tally);
    void write_progress(Transaction& tx, const ClaimedJob& job, const Slice& slice, size_t to,
                        Tally& tally);

    Needs needs_;
    EventPipeline pipeline_;
};

}  // namespace patchbay
