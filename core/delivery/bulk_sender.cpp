// Handing a bulk send over to the outbox, and calling it off.
#include <condition_variable>
#include <mutex>
#include <set>

#include "base/failpoint.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "delivery/bulk.hpp"
#include "delivery/bulk_draft.hpp"
#include "delivery/task_statements.hpp"
#include "identity/access.hpp"
#include "messaging/sight.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

const Failpoint after_bulk_slice{"delivery.after_bulk_slice"};

constexpr size_t slice_size = 64;
// Then others of the queue have their turn, and a stopping hub need not wait long.
constexpr auto longest_turn = 2s;
constexpr auto pause_after_trouble = 1s;
constexpr auto pause_between_passes = 300ms;
// Behind what people write meanwhile.
constexpr int64_t bulk_priority = 8;

struct Refusal {
    size_t place = 0;
    std::string code, reason;
};

}  // namespace

struct BulkSender::Content {
    BulkDraft draft;
    std::vector<std::string> recipients;
    Sight sight;
};

/// What came of the writes of one slice. Their callbacks run on the writer's thread.
struct BulkSender::Slice {
    std::mutex mutex;
    std::condition_variable all_done;
    size_t open = 0;
    std::vector<Refusal> refusals;
    bool store_failed = false;

    void end(size_t place, const std::exception_ptr& error) {
        const std::lock_guard lock{mutex};
        if (error) note(place, error);
        --open;
        all_done.notify_all();  // Under the lock: who waits may leave at once.
    }
    void note(size_t place, const std::exception_ptr& error) {
        try {
            std::rethrow_exception(error);
        } catch (const SendRefused& refused) {
            refusals.push_back({place, refused.code, refused.what()});
        } catch (const StoreError&) {
            store_failed = true;
        } catch (const std::exception& other) {
            log_warn("delivery", "a recipient of a bulk send failed", {{"error", other.what()}});
            refusals.push_back({place, "internal", "internal error"});
        }
    }
    void wait() {
        std::unique_lock lock{mutex};
        all_done.wait(lock, [this] { return open == 0; });
    }
};

void BulkSender::add_to(TaskRunner& runner) {
    runner.add("bulk", [this](const ClaimedJob& job) { hand_over(job); });
    runner.add("bulk.stop", [this](const ClaimedJob& job) { call_off(job); });
}

std::optional<BulkSender::Content> BulkSender::read(const std::string& task_id) {
    return needs_.store.read([&](Session& session) -> std::optional<Content> {
        const auto row = session.first(sql::task_content, {task_id});
        if (!row || row->text(2) != "running") return std::nullopt;
        const auto task = find_task(session, task_id);
        Content content{bulk_draft_from(row->text(0)), {}, {}};
        content.sight = sight_of(content.draft.caller);
        Draft& draft = content.draft.draft;
        draft.channel = task->channel;
        draft.priority = bulk_priority;
        draft.limit_repeats = true;
        draft.limits = needs_.limits(draft.channel);
        const auto list = parse_json(row->text(1)).extract<JsonArray>();
        for (const JsonValue& one : *list) content.recipients.push_back(one.extract<std::string>());
        return content;
    });
}

void BulkSender::hand_over(const ClaimedJob& job) {
    const auto content = read(job.ref);
    const auto end = std::chrono::steady_clock::now() + longest_turn;
    for (size_t from = 0; content && from < content->recipients.size(); from += slice_size) {
        try {
            hand_over_slice(job, *content, from,
                            std::min(from + slice_size, content->recipients.size()));
        } catch (const StoreError& error) {
            log_warn("delivery", "a bulk send waits for the database", {{"error", error.what()}});
            return go_on_later(needs_.store, job, pause_after_trouble);
        }
        after_bulk_slice.pass();
        needs_.wake(content->draft.draft.channel);
        if (std::chrono::steady_clock::now() >= end) {
            go_on_later(needs_.store, job, 0ms);
            return needs_.wake(task_queue);
        }
    }
    needs_.store.write([&](Transaction& tx) {
        const TimeMs now = needs_.store.clock().now_ms();
        tx.run(sql::task_end, {std::string("done"), now, job.ref});
        end_job(tx, job, "done", "", now);
    });
}

void BulkSender::hand_over_slice(const ClaimedJob& job, const Content& content, size_t from,
                                 size_t to) {
    std::set<int64_t> handed;
    const Values range = {job.ref, static_cast<int64_t>(from), static_cast<int64_t>(to)};
    for (const Row& row : needs_.store.read(
             [&](Session& session) { return session.run(sql::bulk_items_handed, range); })) {
        handed.insert(row.number(0));
    }
    Slice slice;
    for (size_t place = from; place < to; ++place) {
        const std::string& recipient = content.recipients[place];
        if (recipient.starts_with('?') || handed.contains(static_cast<int64_t>(place))) continue;
        {
            const std::lock_guard lock{slice.mutex};
            ++slice.open;
        }
        // A write for each: one that is refused is rolled back alone.
        const auto work = [&, place, recipient](Transaction& tx) {
            hand_over_one(tx, job.ref, content, place, recipient);
        };
        try {
            needs_.store.write_async(
                work, [&slice, place](std::exception_ptr error) { slice.end(place, error); },
                Urgency::background);
        } catch (const StoreError&) {
            slice.end(place, std::current_exception());
        }
    }
    slice.wait();
    keep_refusals(job.ref, slice);
    if (slice.store_failed) {
        throw StoreError(StoreError::Kind::unavailable, "some recipients were not handed over");
    }
}

void BulkSender::hand_over_one(Transaction& tx, const std::string& task_id, const Content& content,
                               size_t place, const std::string& recipient) {
    const int64_t at = static_cast<int64_t>(place);
    // Stopped meanwhile, or handed over by the process before us.
    if (!tx.first(sql::task_runs, {task_id})) return;
    if (tx.first(sql::bulk_item_find, {task_id, at})) return;
    Draft draft = content.draft.draft;
    const size_t colon = recipient.find(':');
    draft.to = {recipient.substr(0, colon), recipient.substr(colon + 1)};
    draft.ukey = "bulk:" + task_id + ":" + std::to_string(place);
    const TimeMs now = needs_.store.clock().now_ms();
    const QueuedMessage queued = queue_message(tx, needs_.mint, draft, now);
    const bool is_known = !queued.conversation_created;
    if (is_known && !find_seen_conversation(tx, content.sight, queued.conversation_id)) {
        throw SendRefused("unknown_id", "the contact's conversation is not yours");
    }
    tx.change(sql::bulk_item_add, {task_id, at, queued.message_id, Value{}, Value{}});
}

void BulkSender::keep_refusals(const std::string& task_id, const Slice& slice) {
    if (slice.refusals.empty()) return;
    needs_.store.write([&](Transaction& tx) {
        for (const Refusal& one : slice.refusals) {
            tx.change(sql::bulk_item_add,
                      {task_id, static_cast<int64_t>(one.place), Value{}, one.code, one.reason});
        }
    });
}

// What is with the provider already ends as it does; what comes back from there to be tried again
// is met by the next pass.
void BulkSender::call_off(const ClaimedJob& job) {
    bool some_left = false;
    int64_t after = -1;
    std::string channel;
    for (;;) {
        const Rows open = needs_.store.read([&](Session& session) {
            channel = find_task(session, job.ref)->channel;
            return session.run(sql::bulk_open, {job.ref, after, static_cast<int64_t>(slice_size)});
        });
        if (open.empty()) break;
        after = open.back().number(0);
        const size_t cancelled = needs_.store.write([&](Transaction& tx) {
            size_t count = 0;
            for (const Row& row : open) {
                count += cancel_message(tx, row.text(1), needs_.store.clock().now_ms());
            }
            return count;
        });
        some_left = some_left || cancelled < open.size();
    }
    needs_.wake(channel);
    if (some_left) return go_on_later(needs_.store, job, pause_between_passes);
    needs_.store.write([&](Transaction& tx) {
        tx.run(sql::bulk_recount, {job.ref});
        end_job(tx, job, "done", "", needs_.store.clock().now_ms());
    });
}

}  // namespace patchbay
