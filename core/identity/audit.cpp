#include "identity/audit.hpp"

#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "base/log.hpp"
#include "identity/statements.hpp"

namespace patchbay {
namespace {

constexpr int64_t page = 1000;

std::optional<std::string> filled(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

Value json_column(const JsonObject& object) {
    return object ? Value{redact(to_json(JsonValue(object)))} : Value{};
}

JsonValue as_json(const Value& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return *number;
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    return json_null();
}

/// Over the row as it is stored, columns in their order.
std::string hash_of(const std::string& prev_hash, const Values& row) {
    JsonArray columns = make_array();
    for (const Value& value : row) columns->add(as_json(value));
    return to_hex(sha256(prev_hash + to_json(JsonValue(columns))));
}

Values columns_of(const Row& row) {
    Values values = {row.number(0), row.number(1)};
    for (size_t column = 2; column < 11; ++column) {
        values.push_back(nullable(row.maybe_text(column)));
    }
    return values;
}

AuditHead head_of(Session& session) {
    const auto row = session.first(sql::audit_head);
    return row ? AuditHead{row->number(0), row->text(1)} : AuditHead{};
}

/// Where a trimmed chain begins, as its newest record of a trim says.
AuditHead anchor_of(Session& session) {
    const auto row = session.first(sql::audit_trimmed);
    if (!row) return {};
    const JsonObject after = parse_json_object(std::string_view(row->text(0)));
    return {int_at(after, "seq").value_or(0), text_at(after, "hash").value_or("")};
}

std::string problem_of(const Row& row, const AuditHead& before) {
    const std::string at = "record " + std::to_string(row.number(0));
    if (row.number(0) != before.seq + 1) {
        return at + " follows record " + std::to_string(before.seq);
    }
    if (row.text(11) != before.hash) return at + " does not continue the one before";
    if (row.text(12) != hash_of(row.text(11), columns_of(row))) return at + " was changed";
    return {};
}

}  // namespace

AuditRecord audit_of(const ExchangePtr& exchange, std::string action, std::string object_type,
                     std::string object) {
    const Caller& caller = exchange->caller;
    return {.action = std::move(action),
            .object_type = std::move(object_type),
            .object = std::move(object),
            .actor_type = caller.signed_in() ? caller.kind : "anonymous",
            .actor = caller.id,
            .remote = exchange->request().peer,
            .request_id = exchange->id()};
}

void append_audit(Transaction& tx, const AuditRecord& record, TimeMs now) {
    const AuditHead head = head_of(tx);
    Values row = {head.seq + 1,
                  now,
                  record.actor_type,
                  record.actor,
                  record.action,
                  record.object_type,
                  redact(record.object),
                  nullable(filled(record.remote)),
                  nullable(filled(record.request_id)),
                  json_column(record.before),
                  json_column(record.after)};
    const std::string hash = hash_of(head.hash, row);
    row.insert(row.end(), {head.hash, hash});
    tx.run(sql::audit_add, row);
}

AuditCheck check_audit(Session& session) {
    AuditCheck check;
    check.head = anchor_of(session);
    for (;;) {
        const Rows rows = session.run(sql::audit_walk, {check.head.seq, page});
        for (const Row& row : rows) {
            // Rows before the anchor would be ones that a trim removed.
            check.problem = problem_of(row, check.head);
            if (!check.problem.empty()) return check;
            check.head = {row.number(0), row.text(12)};
            ++check.rows;
        }
        if (rows.size() < static_cast<size_t>(page)) return check;
    }
}

bool trim_audit(Transaction& tx, TimeMs before, TimeMs now) {
    const AuditHead anchor = anchor_of(tx);
    const auto oldest = tx.first(sql::audit_walk, {anchor.seq, int64_t{1}});
    if (!oldest || oldest->number(1) >= before) return false;
    const Rows rows = tx.run(sql::audit_walk, {anchor.seq, page});
    AuditHead last;
    size_t old = 0;
    for (const Row& row : rows) {
        if (row.number(1) >= before) break;
        last = {row.number(0), row.text(12)};
        ++old;
    }
    tx.run(sql::audit_trim, {last.seq});
    JsonObject after = make_object();
    after->set("seq", last.seq);
    after->set("hash", last.hash);
    append_audit(tx, {.action = "audit.trim", .object_type = "audit", .after = after}, now);
    return old == static_cast<size_t>(page);
}

}  // namespace patchbay
