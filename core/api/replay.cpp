// POST /api/v1/ingress/replay
#include "inbound/replay.hpp"

#include <charconv>

#include "api/answers.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/jobs.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "base/time_text.hpp"
#include "identity/audit.hpp"
#include "inbound/statements.hpp"

namespace patchbay {
namespace {

std::vector<int64_t> read_ids(Fields& fields, Session& session) {
    const auto texts = fields.texts("ids", most_replay_ids);
    std::set<int64_t> ids;
    for (size_t i = 0; texts && i < texts->size(); ++i) {
        const std::string& text = (*texts)[i];
        int64_t id = 0;
        const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), id);
        const bool is_id = error == std::errc{} && rest == text.data() + text.size();
        if (is_id && session.first(sql::ingress_get, {id})) {
            ids.insert(id);
        } else {
            fields.refuse("ids/" + std::to_string(i), "invalid_field",
                          "is no webhook that is kept");
        }
    }
    if (texts && texts->empty()) fields.refuse("ids", "invalid_field", "must not be empty");
    return {ids.begin(), ids.end()};
}

TimeMs read_time(Fields& fields, const std::string& name, TimeMs otherwise) {
    const auto text = fields.text(name, 64);
    if (!text) return otherwise;
    const auto at = parse_rfc3339(*text);
    if (!at) {
        fields.refuse(name, "invalid_field", "must be a time such as 2026-11-20T10:15:30Z");
    }
    return at.value_or(otherwise);
}

void read_stretch(Fields& fields, const ApiContext& context, ReplayOrder& order) {
    order.instance = fields.text("instance", 100).value_or("");
    const bool is_known =
        order.instance.empty() || find_instance(*context.config(), order.instance);
    if (!is_known) fields.refuse("instance", "invalid_field", "is no configured instance");
    order.since = read_time(fields, "since", 0);
    order.until = read_time(fields, "until", context.now());
}

struct Wanted {
    ReplayOrder order;
    std::string resumed;  ///< The job to go on with; empty: a new one.
};

Wanted read_request(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    Wanted wanted;
    wanted.resumed = fields.text("resume", 64).value_or("");
    wanted.order.ids =
        context.store.read([&](Session& session) { return read_ids(fields, session); });
    read_stretch(fields, context, wanted.order);
    wanted.order.force = fields.flag("force").value_or(false);
    const bool has_stretch = fields.has("instance") || fields.has("since") || fields.has("until");
    const int ways = !wanted.resumed.empty() + fields.has("ids") + has_stretch;
    if (ways == 0) fields.refuse("ids", "missing_field", "is required, or instance, since, until");
    if (ways > 1) {
        fields.refuse("ids", "invalid_field",
                      "does not go together with instance, since, until or resume");
    }
    if (!wanted.resumed.empty() && fields.has("force")) {
        fields.refuse("force", "invalid_field", "is what it was at the start");
    }
    fields.done();
    wanted.order.actor = exchange->caller.kind + ":" + exchange->caller.id;
    return wanted;
}

JsonObject facts_of(const ReplayOrder& order, int64_t total) {
    JsonObject facts = make_object();
    facts->set("instance", order.instance.empty() ? json_null() : JsonValue(order.instance));
    facts->set("webhooks", total);
    facts->set("force", order.force);
    return facts;
}

/// Who asked is in the audit record, what came of it in the job.
std::string begin(Transaction& tx, ApiContext& context, AuditRecord record, const Wanted& wanted,
                  int64_t total) {
    const TimeMs now = context.now();
    std::string id = wanted.resumed;
    if (id.empty()) {
        id = start_replay(tx, context.ids(), wanted.order, total, now);
        record.after = facts_of(wanted.order, total);
    } else {
        const auto task = find_task(tx, id);
        if (!task || task->kind != "replay") throw unknown_id("job");
        if (!resume_replay(tx, context.ids(), id, now)) return id;
        record.action = "ingress.replay_resumed";
    }
    record.object = id;
    append_audit(tx, record, now);
    return id;
}

void replay(const ExchangePtr& exchange, ApiContext& context) {
    const Wanted wanted = read_request(exchange, context);
    const int64_t total =
        context.store.read([&](Session& session) { return count_replay(session, wanted.order); });
    answer_once(
        exchange, context,
        [&context, wanted, total,
         record = audit_of(exchange, "ingress.replay", "job")](Transaction& tx) {
            return job_response(tx, begin(tx, context, record, wanted, total));
        },
        [&context] { context.wake(task_queue); });
}

}  // namespace

void add_replay_routes(Router& router, ApiContext& context) {
    router.add({.name = "ingress.replay",
                .method = "POST",
                .path = "/api/v1/ingress/replay",
                .body = BodyKind::json,
                .roles = roles::switchers,
                .about = "Takes kept webhooks to their plugin once more. What has had its effects "
                         "has none again, unless forced; those are marked.",
                .takes = "ReplayWish",
                .answers = {{202, "JobBegun"}},
                .problems = {"unknown_id"}},
               [&](const ExchangePtr& exchange) { replay(exchange, context); });
}

}  // namespace patchbay
