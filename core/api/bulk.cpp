// POST /api/v1/messages/bulk
#include "delivery/bulk.hpp"

#include "api/drafts.hpp"
#include "api/idempotency.hpp"
#include "api/jobs.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/send_refusal.hpp"
#include "identity/audit.hpp"

namespace patchbay {
namespace {

constexpr size_t most_errors_shown = 100;

struct BulkRequest {
    BulkOrder order;
    std::vector<std::string> to;
    bool dry_run = false;
    std::optional<int64_t> confirm;
};

BulkRequest read(const ExchangePtr& exchange) {
    Fields fields(exchange->request());
    BulkRequest request;
    Draft& draft = request.order.draft;
    // As with one message: sending alone does not take a conversation out of its flow.
    draft.mode = "flow";
    draft.channel = fields.required_text("channel", 63);
    request.to = fields.texts("to", most_bulk_recipients).value_or(std::vector<std::string>{});
    if (!fields.has("to")) {
        fields.refuse("to", "missing_field", "is required");
    } else if (request.to.empty()) {
        fields.refuse("to", "invalid_field", "must not be empty");
    }
    read_content(fields, draft);
    request.dry_run = fields.flag("dry_run").value_or(false);
    request.confirm = fields.number("confirm");
    fields.done();
    set_sender(draft, exchange->caller);
    draft.trace = exchange->id();
    request.order.caller = exchange->caller;
    return request;
}

void require_one_good(const BulkRequest& request) {
    if (request.order.recipients.good() > 0) return;
    std::vector<FieldProblem> errors;
    for (size_t i = 0; i < request.to.size() && i < most_errors_shown; ++i) {
        errors.push_back({"/to/" + std::to_string(i), "invalid_phone_number",
                          "needs the country code, as in +27..."});
    }
    throw Problem("invalid_phone_number", "None of the recipients can be reached.", errors);
}

JsonObject estimate_json(const BulkOrder& order) {
    JsonObject json = make_object();
    json->set("segments", bulk_segments(order.draft, order.recipients.good()));
    json->set("price", json_null());
    return json;
}

void require_confirmed(const BulkRequest& request) {
    const int64_t recipients = request.order.recipients.good();
    if (is_confirmed(recipients, request.confirm)) return;
    throw Problem(
        "confirmation_required",
        "Send it again with confirm: " + std::to_string(recipients) + ", the number of recipients.")
        .with("recipients", std::to_string(recipients))
        .with("estimate", to_json(JsonValue(estimate_json(request.order))));
}

Response dry_run(const BulkOrder& order) {
    const BulkRecipients& recipients = order.recipients;
    JsonObject job = make_object();
    job->set("id", json_null());
    job->set("kind", "bulk");
    job->set("status", "dry_run");
    job->set("total", recipients.list.size());
    job->set("queued", 0);
    job->set("successful", 0);
    job->set("failed", recipients.bad);
    job->set("duplicates", recipients.duplicates);
    job->set("started_at", json_null());
    job->set("finished_at", json_null());
    job->set("results", make_array());
    job->set("next", json_null());
    job->set("estimate", estimate_json(order));
    JsonObject json = make_object();
    json->set("job", job);
    return json_response(200, json);
}

void refuse_unfitting(const Draft& draft) {
    try {
        require_fitting(draft);
    } catch (const SendRefused& refused) {
        rethrow_refusal(refused);
    }
}

void create(const ExchangePtr& exchange, ApiContext& context) {
    BulkRequest request = read(exchange);
    BulkOrder& order = request.order;
    const auto channel = require_channel(context, order.draft.channel);
    order.draft.reopen = channel->single_conversation;
    order.draft.limits = limits_of(context, order.draft.channel);
    order.most_per_day = channel->limits.bulk_per_day;
    order.recipients = read_recipients(request.to);
    require_one_good(request);
    refuse_unfitting(order.draft);
    if (request.dry_run) return exchange->answer(dry_run(order));
    require_confirmed(request);
    answer_once(
        exchange, context,
        [&context, order = std::move(order),
         record = audit_of(exchange, "messages.bulk", "job")](Transaction& tx) {
            try {
                const std::string id = start_bulk(tx, context.ids(), order, context.now());
                AuditRecord done = record;
                done.object = id;
                done.after = make_object();
                done.after->set("channel", order.draft.channel);
                done.after->set("recipients", order.recipients.good());
                append_audit(tx, done, context.now());
                return job_response(tx, id);
            } catch (const SendRefused& refused) {
                rethrow_refusal(refused);
            }
        },
        [&context] { context.wake(task_queue); });
}

}  // namespace

void add_bulk_routes(Router& router, ApiContext& context) {
    router.add({.name = "messages.bulk",
                .method = "POST",
                .path = "/api/v1/messages/bulk",
                .body = BodyKind::json,
                .roles = roles::bulk_senders,
                .about = "One content to up to 10,000 recipients, in the background; more than "
                         "1,000 need confirm. dry_run counts and estimates only.",
                .takes = "NewBulk",
                .answers = {{200, "JobBegun"}, {202, "JobBegun"}},
                .problems = {"unknown_channel", "invalid_phone_number", "confirmation_required",
                             "daily_cap", "text_too_long", "unsupported_media"}},
               [&](const ExchangePtr& exchange) { create(exchange, context); });
}

}  // namespace patchbay
