#include "delivery/bulk.hpp"

#include <set>

#include "base/json.hpp"
#include "delivery/bulk_draft.hpp"
#include "delivery/statements.hpp"
#include "delivery/task_statements.hpp"
#include "messaging/phone.hpp"
#include "messaging/segments.hpp"
#include "messaging/status.hpp"

namespace patchbay {
namespace {

constexpr std::chrono::milliseconds a_day = std::chrono::hours{24};

Address address_of(const std::string& recipient) {
    const size_t colon = recipient.find(':');
    return {recipient.substr(0, colon), recipient.substr(colon + 1)};
}

bool is_bad(const std::string& recipient) { return recipient.starts_with('?'); }

std::vector<std::string> recipients_of(const Row& content) {
    std::vector<std::string> list;
    const auto array = parse_json(content.text(1)).extract<JsonArray>();
    list.reserve(array->size());
    for (const JsonValue& one : *array) list.push_back(one.extract<std::string>());
    return list;
}

bool is_open(std::string_view status) {
    return status == "queued" || status == "sending" || status == "unknown";
}

bool is_lost(std::string_view status) {
    return status == "failed" || status == "expired" || status == "cancelled";
}

void count_one(BulkCounts& counts, const Row& row, TimeMs& last) {
    const std::string status = row.text_or(0, "failed");
    const int64_t many = row.number(1);
    (is_open(status) ? counts.queued : is_lost(status) ? counts.failed : counts.successful) += many;
    last = std::max(last, row.maybe_number(2).value_or(0));
}

bool is_paused(Session& session, const std::string& channel) {
    const Rows paused = session.run(sql::channel_paused);
    return std::any_of(paused.begin(), paused.end(),
                       [&](const Row& row) { return row.text(0) == channel; });
}

BulkResult result_of(const std::string& recipient, bool stopped) {
    BulkResult result;
    if (is_bad(recipient)) {
        result.to = recipient.substr(1);
        result.status = "failed";
        result.error_code = "invalid_phone_number";
        result.error_reason = "needs the country code, as in +27...";
        return result;
    }
    const Address address = address_of(recipient);
    result.to = address.kind == "phone" ? address.value : recipient;
    result.status = stopped ? "cancelled" : "queued";
    return result;
}

void fill(BulkResult& result, const Row& row) {
    result.message_id = row.maybe_text(3);
    result.status = row.text_or(4, "failed");
    result.provider_id = row.maybe_text(5);
    result.error_code = row.is_null(3) ? row.maybe_text(1) : row.maybe_text(6);
    result.error_reason = row.is_null(3) ? row.maybe_text(2) : row.maybe_text(7);
}

}  // namespace

bool is_confirmed(int64_t recipients, const std::optional<int64_t>& confirm) {
    return confirm ? *confirm == recipients : recipients <= static_cast<int64_t>(bulk_unconfirmed);
}

BulkRecipients read_recipients(const std::vector<std::string>& given) {
    BulkRecipients out;
    std::set<std::string> known;
    for (const std::string& text : given) {
        const auto address = parse_address(text);
        const std::string recipient = address ? address->kind + ":" + address->value : "?" + text;
        if (!known.insert(recipient).second) {
            ++out.duplicates;
            continue;
        }
        if (!address) ++out.bad;
        out.list.push_back(recipient);
    }
    return out;
}

int64_t bulk_segments(const Draft& draft, int64_t recipients) {
    if (draft.limits.session_window.count() > 0) return recipients;
    return recipients * static_cast<int64_t>(std::max<size_t>(sms_segments(draft.text), 1));
}

std::string start_bulk(Transaction& tx, Ids& ids, const BulkOrder& order, TimeMs now) {
    const BulkRecipients& recipients = order.recipients;
    const std::string& channel = order.draft.channel;
    const int64_t used = tx.first(sql::bulk_used, {channel, now - a_day.count()})->number(0);
    if (used + recipients.good() > order.most_per_day) {
        throw SendRefused("daily_cap", "The channel has " + std::to_string(order.most_per_day) +
                                           " bulk messages in 24 hours, of which " +
                                           std::to_string(used) + " are used.");
    }
    JsonArray list = make_array();
    for (const std::string& one : recipients.list) list->add(one);
    return add_task(tx, ids,
                    {.kind = "bulk",
                     .actor = order.caller.kind + ":" + order.caller.id,
                     .channel = channel,
                     .draft = bulk_draft_json(order.draft, order.caller),
                     .recipients = to_json(list),
                     .total = static_cast<int64_t>(recipients.list.size()),
                     .failed = recipients.bad,
                     .duplicates = recipients.duplicates,
                     .counted = recipients.good()},
                    order.draft.trace, now);
}

bool stop_bulk(Transaction& tx, Ids& ids, const TaskView& task, TimeMs now) {
    if (count_bulk(tx, task).queued == 0) return false;
    if (tx.change(sql::task_stop, {now, task.id}) == 0) return false;
    enqueue_job(tx, ids,
                {.queue = task_queue,
                 .ukey = "task:" + task.id + ":stop",
                 .kind = "bulk.stop",
                 .ref = task.id,
                 .priority = 1},
                std::nullopt, now);
    return true;
}

BulkCounts count_bulk(Session& session, const TaskView& task) {
    BulkCounts counts;
    TimeMs last = task.finished_at.value_or(0);
    for (const Row& row : session.run(sql::bulk_counts, {task.id})) count_one(counts, row, last);
    counts.failed += task.failed;
    const int64_t waiting = task.total - counts.queued - counts.successful - counts.failed;
    const bool stopped = task.status == "stopped";
    (stopped ? counts.failed : counts.queued) += waiting;
    if (stopped) {
        counts.status = "stopped";
        counts.finished_at = task.finished_at;
    } else if (counts.queued == 0 && task.status == "done") {
        counts.status = "done";
        counts.finished_at = last;
    } else {
        counts.status = is_paused(session, task.channel) ? "paused" : "running";
    }
    return counts;
}

std::vector<BulkResult> bulk_results(Session& session, const TaskView& task, size_t from,
                                     size_t count) {
    const auto content = session.first(sql::task_content, {task.id});
    if (!content) return {};
    const auto recipients = recipients_of(*content);
    const size_t end = std::min(recipients.size(), from + count);
    std::vector<BulkResult> results;
    for (size_t place = from; place < end; ++place) {
        results.push_back(result_of(recipients[place], task.status == "stopped"));
    }
    const Values range = {task.id, static_cast<int64_t>(from), static_cast<int64_t>(end)};
    for (const Row& row : session.run(sql::bulk_results, range)) {
        fill(results[static_cast<size_t>(row.number(0)) - from], row);
    }
    return results;
}

}  // namespace patchbay
