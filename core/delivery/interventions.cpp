#include "delivery/interventions.hpp"

#include "delivery/jobs.hpp"
#include "delivery/outbound.hpp"
#include "delivery/statements.hpp"
#include "delivery/status.hpp"
#include "messaging/status.hpp"
#include "messaging/views.hpp"

namespace patchbay {
namespace {

// Columns of PATCHBAY_JOB_COLUMNS.
enum Column : size_t { id, queue, lane, kind, ref, state };

// The status of a failed message cannot fall back to `accepted` (G8), so its second life is a new
// message; one that is held is still open and goes on.
bool needs_a_new_message(Transaction& tx, const Row& job) {
    if (job.text(Column::kind) != "send") return false;
    const auto message = tx.first(sql::status_of, {job.text(Column::ref)});
    return message && message->number(2) > rank_of("unknown");
}

bool revive(Transaction& tx, const Row& job, TimeMs now) {
    const std::string lane = job.text_or(Column::lane, "");
    const bool is_send = job.text(Column::kind) == "send";
    const TimeMs valid_until = now + std::chrono::milliseconds{chat_validity}.count();
    return revive_job(tx, job.number(Column::id), lane, now,
                      is_send ? std::optional{valid_until} : std::nullopt);
}

}  // namespace

Retried retry_delivery(Transaction& tx, Mint& mint, int64_t job_id, TimeMs now) {
    const auto job = tx.first(sql::job_get, {job_id});
    if (!job) return {Intervention::not_found, 0, ""};
    Retried retried{Intervention::done, job_id, job->text(Column::queue)};
    const std::string& state = job->text(Column::state);
    if (state == "ready" || state == "waiting") {
        tx.run(sql::job_hurry, {now, job_id});
    } else if (state != "dead") {
        const bool is_open = state == "running" || state == "unknown";
        retried.result = is_open ? Intervention::running : Intervention::finished;
    } else if (needs_a_new_message(tx, *job)) {
        retried.job_id = resend_message(tx, mint, job->text(Column::ref), now).job_id;
    } else {
        revive(tx, *job, now);
    }
    return retried;
}

Cancelled cancel_delivery(Transaction& tx, int64_t job_id, TimeMs now) {
    const auto job = tx.first(sql::job_get, {job_id});
    if (!job) return {Intervention::not_found, ""};
    const std::string& state = job->text(Column::state);
    if (state == "running") return {Intervention::running, ""};
    const bool is_send = job->text(Column::kind) == "send";
    const std::string lane = job->text_or(Column::lane, "");
    touch_lane(tx, lane);
    if (!cancel_job(tx, job_id, now)) return {Intervention::finished, ""};
    if (is_send) {
        raise_status(tx, {job->text(Column::queue), job->text(Column::ref)}, "cancelled", "", "",
                     now);
    }
    promote_next(tx, lane);
    return {Intervention::done, job->text(Column::queue)};
}

QueuedMessage resend_message(Transaction& tx, Mint& mint, const std::string& message_id,
                             TimeMs now) {
    const auto view = find_message(tx, message_id);
    if (!view || view->direction != "out")
        throw SendRefused("not_found", "there is no such message");
    const auto outgoing = load_outgoing(tx, view->id, 0);
    if (outgoing->erased) throw SendRefused("not_found", "the message was erased");
    Draft draft;
    draft.conversation_id = view->conversation_id;
    draft.to = outgoing->message.to;
    draft.from = view->own;
    draft.sender_type = view->sender_type;
    draft.sender_id = view->sender_id;
    draft.sender_name = view->sender_name;
    draft.kind = view->kind;
    draft.text = view->body;
    draft.media = outgoing->message.media;
    draft.from_template = outgoing->message.from_template;
    draft.attributes = view->attributes;
    draft.reply_to = view->reply_to;
    draft.resend_of = view->id;
    // It fitted the channel once.
    draft.limits.text_chars = draft.text.size();
    draft.limits.media = draft.media.size();
    return queue_message(tx, mint, draft, now);
}

}  // namespace patchbay
