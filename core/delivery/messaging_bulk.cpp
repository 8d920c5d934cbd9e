#include "delivery/messaging_bulk.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "delivery/bulk.hpp"
#include "delivery/messaging_records.hpp"
#include "delivery/tasks.hpp"
#include "identity/audit.hpp"
#include "messaging/status.hpp"

namespace patchbay {
namespace {

constexpr uint32_t most_results = 200;

[[noreturn]] void refuse(const std::string& code, const std::string& text) {
    Error error(ErrorKind::refused, text);
    error.code = code;
    throw error;
}

Draft draft_of(const MessagingService& service, const Call& call,
               const messaging::NewBulk& wanted) {
    Draft draft;
    draft.channel = wanted.channel;
    // As with one message: sending alone does not take a conversation out of its flow.
    draft.mode = "flow";
    draft.text = wanted.text;
    draft.kind = wanted.kind.empty() ? "text" : wanted.kind;
    draft.media = wanted.media;
    draft.from_template = wanted.from_template;
    if (wanted.asker.role != "api" && !wanted.asker.user.empty()) {
        draft.sender_id = wanted.asker.user;
    }
    draft.trace = call.trace;
    draft.reopen = service.reopens && service.reopens(wanted.channel);
    draft.limit_repeats = true;
    draft.limits = service.limits(wanted.channel);
    return draft;
}

messaging::BulkInfo not_begun(const BulkOrder& order, const char* status) {
    messaging::BulkInfo info;
    info.status = status;
    info.total = order.recipients.list.size();
    info.failed = static_cast<uint64_t>(order.recipients.bad);
    info.duplicates = static_cast<uint64_t>(order.recipients.duplicates);
    info.recipients = static_cast<uint64_t>(order.recipients.good());
    info.segments = static_cast<uint64_t>(bulk_segments(order.draft, order.recipients.good()));
    return info;
}

messaging::BulkResult info_of(const BulkResult& result) {
    messaging::BulkResult info;
    info.to = result.to;
    info.message = result.message_id.value_or("");
    info.provider_id = result.provider_id.value_or("");
    info.code = result.error_code.value_or("");
    info.reason = result.error_reason.value_or("");
    info.status = status_of(result.status);
    return info;
}

messaging::BulkInfo info_of(Session& session, const TaskView& task) {
    const BulkCounts counts = count_bulk(session, task);
    messaging::BulkInfo info;
    info.id = task.id;
    info.status = counts.status;
    info.total = static_cast<uint64_t>(task.total);
    info.queued = static_cast<uint64_t>(counts.queued);
    info.successful = static_cast<uint64_t>(counts.successful);
    info.failed = static_cast<uint64_t>(counts.failed);
    info.duplicates = static_cast<uint64_t>(task.duplicates);
    info.started_ms = task.created_at;
    info.finished_ms = counts.finished_at.value_or(0);
    return info;
}

std::optional<TaskView> find_own(Session& session, const std::string& id,
                                 const messaging::Asker& asker) {
    auto task = find_task(session, id);
    const Caller caller = caller_of(asker);
    const bool sees_all = caller.role == "owner" || caller.role == "admin";
    const bool is_own = task && task->actor == caller.kind + ":" + caller.id;
    if (!task || task->kind != "bulk" || (!sees_all && !is_own)) return std::nullopt;
    return task;
}

void record(Transaction& tx, const BulkOrder& order, const std::string& id, TimeMs now) {
    AuditRecord done{.action = "messages.bulk", .object_type = "job", .object = id};
    done.after = make_object();
    done.after->set("channel", order.draft.channel);
    done.after->set("recipients", order.recipients.good());
    done.actor_type = order.caller.kind;
    done.actor = order.caller.id;
    done.request_id = order.draft.trace;
    append_audit(tx, done, now);
}

void require_fitting_bulk(const BulkOrder& order) {
    if (order.recipients.good() == 0) {
        refuse("invalid_phone_number", "None of the recipients can be reached.");
    }
    try {
        require_fitting(order.draft);
    } catch (const SendRefused& refused) {
        refuse(refused.code, refused.what());
    }
}

}  // namespace

messaging::BulkInfo start_bulk(const MessagingService& service, const Call& call,
                               const messaging::NewBulk& wanted) {
    if (!service.is_channel(wanted.channel)) {
        Error error(ErrorKind::not_found, "there is no channel \"" + wanted.channel + "\"");
        error.code = "unknown_channel";
        throw error;
    }
    BulkOrder order;
    order.draft = draft_of(service, call, wanted);
    order.recipients = read_recipients(wanted.to);
    order.caller = caller_of(wanted.asker);
    order.most_per_day = service.bulk_per_day(wanted.channel);
    require_fitting_bulk(order);
    if (wanted.dry_run) return not_begun(order, "dry_run");
    if (!is_confirmed(order.recipients.good(), wanted.confirm)) {
        return not_begun(order, "unconfirmed");
    }
    try {
        const auto info = service.store.write([&](Transaction& tx) {
            const TimeMs now = service.store.clock().now_ms();
            const std::string id = start_bulk(tx, service.mint.ids, order, now);
            record(tx, order, id, now);
            return info_of(tx, find_task(tx, id).value());
        });
        service.wake(task_queue);
        return info;
    } catch (const SendRefused& refused) {
        refuse(refused.code, refused.what());
    }
}

std::optional<messaging::BulkInfo> find_bulk(const MessagingService& service, const std::string& id,
                                             const messaging::Asker& asker, uint32_t first,
                                             uint32_t count) {
    return service.store.read([&](Session& session) -> std::optional<messaging::BulkInfo> {
        const auto task = find_own(session, id, asker);
        if (!task) return std::nullopt;
        messaging::BulkInfo info = info_of(session, *task);
        if (count == 0) return info;
        for (const BulkResult& one :
             bulk_results(session, *task, first, std::min(count, most_results))) {
            info.results.push_back(info_of(one));
        }
        return info;
    });
}

std::optional<messaging::BulkInfo> stop_bulk(const MessagingService& service, const std::string& id,
                                             const messaging::Asker& asker) {
    const auto info =
        service.store.write([&](Transaction& tx) -> std::optional<messaging::BulkInfo> {
            const auto task = find_own(tx, id, asker);
            if (!task) return std::nullopt;
            stop_bulk(tx, service.mint.ids, *task, service.store.clock().now_ms());
            return info_of(tx, find_task(tx, id).value());
        });
    if (info) service.wake(task_queue);
    return info;
}

}  // namespace patchbay
