#include "inbound/replay.hpp"

#include <patchbay/sdk.hpp>
#include <set>

#include "base/json.hpp"
#include "base/log.hpp"
#include "inbound/replay_statements.hpp"

namespace patchbay {
namespace {

// One write of the background: short, so that what somebody waits for goes between. Longer than a
// router's, since most of what is replayed changes nothing.
constexpr int64_t slice_rows = 64;
constexpr size_t max_slice_bytes = 4 << 20;  // Of bodies, in memory at once (G19).

// It was stopped, or another job goes on with it.
struct NotOurs : std::runtime_error {
    NotOurs() : std::runtime_error("the replay was stopped") {}
};

JsonObject draft_of(const ReplayOrder& order) {
    JsonObject draft = make_object();
    draft->set("instance", order.instance);
    draft->set("above", std::to_string(Ids::lowest_at(order.since) - 1));
    draft->set("below", std::to_string(Ids::lowest_at(order.until)));
    draft->set("force", order.force);
    return draft;
}

std::string ids_json(const std::vector<int64_t>& ids) {
    JsonArray list = make_array();
    for (const int64_t id : ids) list->add(std::to_string(id));
    return to_json(JsonValue(list));
}

int64_t number_in(const JsonObject& draft, const char* name) {
    return std::stoll(text_at(draft, name).value_or("0"));
}

std::vector<int64_t> next_ids(Session& session, const JsonObject& draft, const std::string& given) {
    const int64_t above = number_in(draft, "above");
    std::vector<int64_t> ids;
    const JsonArray list = parse_json(given).extract<JsonArray>();
    for (const auto& one : *list) {
        const int64_t id = std::stoll(one.extract<std::string>());
        if (id > above && ids.size() < static_cast<size_t>(slice_rows)) ids.push_back(id);
    }
    if (list->size() > 0) return ids;
    const Values range = {above, number_in(draft, "below"), text_at(draft, "instance").value_or(""),
                          slice_rows};
    for (const Row& row : session.run(sql::ingress_range, range)) ids.push_back(row.number(0));
    return ids;
}

bool passes(const StoreError& error) {
    return error.kind == StoreError::Kind::unavailable || error.kind == StoreError::Kind::full;
}

}  // namespace

int64_t count_replay(Session& session, const ReplayOrder& order) {
    if (!order.ids.empty()) return static_cast<int64_t>(order.ids.size());
    const JsonObject draft = draft_of(order);
    return session
        .first(sql::ingress_count,
               {number_in(draft, "above"), number_in(draft, "below"), order.instance})
        ->number(0);
}

std::string start_replay(Transaction& tx, Ids& ids, const ReplayOrder& order, int64_t total,
                         TimeMs now) {
    JsonObject draft = draft_of(order);
    if (!order.ids.empty()) draft->set("above", "0");
    return add_task(tx, ids,
                    {.kind = "replay",
                     .actor = order.actor,
                     .channel = order.instance,
                     .draft = to_json(draft),
                     .recipients = ids_json(order.ids),
                     .total = total},
                    "", now);
}

int64_t left_to_replay(const TaskView& task) {
    return std::max<int64_t>(0, task.total - task.successful - task.failed - task.duplicates);
}

bool stop_replay(Transaction& tx, const std::string& task_id, TimeMs now) {
    return tx.change(sql::replay_stop, {now, task_id}) > 0;
}

bool resume_replay(Transaction& tx, Ids& ids, const std::string& task_id, TimeMs now) {
    if (tx.change(sql::replay_resume, {task_id}) == 0) return false;
    enqueue_job(tx, ids,
                {.queue = task_queue,
                 .ukey = "task:" + task_id + ":" + ids.uuid(),
                 .kind = "replay",
                 .ref = task_id},
                std::nullopt, now);
    return true;
}

struct Replayer::Slice {
    struct Piece {
        int64_t id = 0;
        std::string instance, state;
        Understood got;
    };
    std::string task_id, draft;  ///< As it was read: whoever else goes on changes it.
    std::vector<Piece> pieces;
    bool is_last = false;
    std::optional<EventPipeline::Forced> forced;
};

struct Replayer::Tally {
    int64_t successful = 0, failed = 0, duplicates = 0;
    std::set<std::string> queues;
    std::string draft;
};

void Replayer::add_to(TaskRunner& runner) {
    runner.add("replay", [this](const ClaimedJob& job) { run(job); });
}

void Replayer::run(const ClaimedJob& job) try {
    auto slice = read(job);
    if (!slice) throw NotOurs();
    understand_all(*slice);
    const size_t count = slice->pieces.size();
    try {
        return commit(job, *slice, 0, count);
    } catch (const LeaseLost&) {
        throw;
    } catch (const NotOurs&) {
        throw;
    } catch (const StoreError& error) {
        if (passes(error) || count == 0) throw;
    } catch (const std::exception&) {
        if (count == 0) throw;
    }
    // Each by itself, which finds the one that cannot be stored.
    for (size_t i = 0; i < count; ++i) {
        try {
            commit(job, *slice, i, i + 1);
        } catch (const StoreError& error) {
            if (passes(error)) throw;
            slice->pieces[i].got.failure = error.what();
            commit(job, *slice, i, i + 1);
        }
    }
} catch (const NotOurs& error) {
    const TimeMs now = needs_.store.clock().now_ms();
    needs_.store.write([&](Transaction& tx) { end_job(tx, job, "cancelled", error.what(), now); });
}

std::optional<Replayer::Slice> Replayer::read(const ClaimedJob& job) {
    return needs_.store.read([&](Session& session) -> std::optional<Slice> {
        const auto task = session.first(sql::replay_content, {job.ref});
        if (!task || task->text(2) != "running") return std::nullopt;
        Slice slice{job.ref, task->text(0), {}, false, {}};
        const JsonObject draft = parse_json_object(std::string_view(slice.draft));
        if (text_at(draft, "force") == "true") slice.forced = EventPipeline::Forced{job.ref};
        const auto ids = next_ids(session, draft, task->text(1));
        size_t bytes = 0;
        for (const int64_t id : ids) {
            if (bytes > max_slice_bytes) break;
            Slice::Piece piece;
            piece.id = id;
            if (const auto row = session.first(sql::ingress_row, {id})) {
                piece.instance = row->text(9);
                piece.state = row->text(10);
                piece.got.row = IngressRow::from_row(*row);
                bytes += piece.got.row.request.body.size();
            }
            slice.pieces.push_back(std::move(piece));
        }
        slice.is_last =
            slice.pieces.size() == ids.size() && ids.size() < static_cast<size_t>(slice_rows);
        return slice;
    });
}

void Replayer::understand_all(Slice& slice) {
    for (Slice::Piece& piece : slice.pieces) {
        // One that waits to be routed has its effects still before it.
        if (piece.state == "received") continue;
        if (piece.state.empty()) {
            piece.got.failure = "the webhook is kept no more";
            continue;
        }
        const PluginLeasePtr plugin = needs_.leases(piece.instance);
        if (plugin) {
            piece.got = understand(*plugin, std::move(piece.got.row));
        } else {
            piece.got.failure = "the instance is not active";
        }
    }
}

void Replayer::commit(const ClaimedJob& job, Slice& slice, size_t from, size_t to) {
    Tally tally;
    needs_.store.write(
        [&](Transaction& tx) {
            tally = {};
            const TimeMs now = needs_.store.clock().now_ms();
            const bool is_ours = !job.lease || !job.lease->given_up();
            if (!is_ours || !heartbeat(tx, job.id, job.token, now)) throw LeaseLost(job.id);
            for (size_t i = from; i < to; ++i) commit_one(tx, slice, i, tally);
            write_progress(tx, job, slice, to, tally);
        },
        Urgency::background);
    slice.draft = tally.draft;
    for (const std::string& queue : tally.queues) needs_.wake(queue);
}

void Replayer::commit_one(Transaction& tx, const Slice& slice, size_t place, Tally& tally) {
    const auto& [id, instance, state, got] = slice.pieces[place];
    const ConfigPtr config = needs_.config.get();
    const InstanceConfig* configured = find_instance(*config, instance);
    if (!got.failure.empty() || !configured) {
        ++tally.failed;
        return;
    }
    if (state == "received") {
        ++tally.duplicates;
        return;
    }
    const TimeMs now = needs_.store.clock().now_ms();
    Routed routed{.state = "ignored", .reason = got.refusal};
    if (got.refusal.empty()) {
        routed =
            pipeline_.commit(tx, *configured, id, got.events, now, got.row.trace, slice.forced);
    }
    tx.change(sql::ingress_replayed,
              {routed.state, routed.reason.empty() ? Value{} : Value{routed.reason}, now, id});
    ++(routed.events > 0 ? tally.successful : tally.duplicates);
    tally.queues.insert(routed.queues.begin(), routed.queues.end());
}

void Replayer::write_progress(Transaction& tx, const ClaimedJob& job, const Slice& slice, size_t to,
                              Tally& tally) {
    const TimeMs now = needs_.store.clock().now_ms();
    JsonObject draft = parse_json_object(std::string_view(slice.draft));
    const size_t count = slice.pieces.size();
    if (to > 0) draft->set("above", std::to_string(slice.pieces[to - 1].id));
    tally.draft = to_json(draft);
    const bool ends = to == count && slice.is_last;
    const size_t changed =
        tx.change(sql::replay_progress, {tally.draft, tally.successful, tally.failed,
                                         tally.duplicates, std::string{ends ? "done" : "running"},
                                         ends ? Value{now} : Value{}, slice.task_id, slice.draft});
    if (changed == 0) throw NotOurs();
    if (ends) {
        end_job(tx, job, "done", "", now);
    } else if (to == count) {
        retry_job(tx, job, now, false, "");
    }
}

}  // namespace patchbay
