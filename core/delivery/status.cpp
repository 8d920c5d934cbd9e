#include "delivery/status.hpp"

#include "base/log.hpp"
#include "delivery/jobs.hpp"
#include "delivery/statements.hpp"
#include "messaging/changes.hpp"
#include "messaging/status.hpp"

namespace patchbay {
namespace {

constexpr TimeMs reunite_within_ms = 10 * 60 * 1000;

Value text_or_null(const std::string& text) { return text.empty() ? Value{} : Value{text}; }

struct Found {
    std::string message_id, conversation_id;
    int64_t rank = 0;
    bool is_part = false;
    bool by_our_id = false;
};

std::optional<Found> find_message_of(Transaction& tx, const StatusEvent& event) {
    if (const auto row = tx.first(sql::status_by_provider, {event.channel, event.provider_id})) {
        return Found{row->text(0), row->text(1), row->number(2), row->number(3) > 1, false};
    }
    if (const auto row = tx.first(sql::part_find, {event.channel, event.provider_id})) {
        return Found{row->text(0), row->text(1), row->number(3), true, false};
    }
    if (event.our_message_id.empty()) return std::nullopt;
    const auto row = tx.first(sql::status_of, {event.our_message_id});
    // Ids of other channels and inbound messages: not something this provider can know about.
    if (!row || row->text(3) != event.channel || row->text(4) != "out") return std::nullopt;
    return Found{event.our_message_id, row->text(0), row->number(2), row->number(6) > 1, true};
}

// The lowest of all parts, failed when one has failed.
std::string status_of_parts(Transaction& tx, const std::string& message_id) {
    std::string lowest;
    int64_t lowest_rank = 0;
    for (const Row& row : tx.run(sql::part_list, {message_id})) {
        if (row.text(0) == "failed") return "failed";
        if (!lowest.empty() && row.number(1) >= lowest_rank) continue;
        lowest = row.text(0);
        lowest_rank = row.number(1);
    }
    return lowest;
}

struct Early {
    std::string status, code, reason;
    int64_t rank = 0;
};

// Callbacks that came before we knew the id; the best of them.
std::optional<Early> adopt_early(Transaction& tx, const std::string& message_id,
                                 const std::string& channel, const std::string& provider_id) {
    std::optional<Early> best;
    const Rows early = tx.run(sql::status_early, {channel, provider_id});
    if (early.empty()) return best;
    tx.change(sql::status_adopt, {message_id, channel, provider_id});
    for (const Row& row : early) {
        if (best && row.number(1) <= best->rank) continue;
        best = {row.text(0), row.text_or(2, ""), row.text_or(3, ""), row.number(1)};
    }
    return best;
}

bool store_event(Transaction& tx, Ids& ids, const StatusEvent& event,
                 const std::optional<Found>& found, TimeMs now) {
    return tx.change(sql::status_store,
                     {ids.machine_id(), found ? Value{found->message_id} : Value{}, event.channel,
                      event.provider_id, event.status, int64_t{rank_of(event.status)},
                      text_or_null(event.code), text_or_null(redact(event.reason)),
                      event.at == 0 ? now : event.at, now, text_or_null(event.raw)}) > 0;
}

// A callback that knows the message proves that the provider took it, whatever we believed.
bool end_as_proven(Transaction& tx, Ids& ids, const Found& found, TimeMs now) {
    bool moved = false;
    for (const Row& row : tx.run(sql::unknown_evidence, {now, found.message_id})) {
        record_attempt(tx, ids,
                       {.job_id = row.number(0),
                        .attempt = row.number(2),
                        .owner = "callback",
                        .result = "evidence",
                        .started_at = now,
                        .ended_at = now});
        promote_next(tx, row.text_or(1, ""));
        moved = true;
    }
    return moved;
}

void link_provider_id(Transaction& tx, const std::string& message_id,
                      const std::string& provider_id, TimeMs now) {
    if (provider_id.empty()) return;
    if (tx.change(sql::status_provider_id, {provider_id, now, message_id}) == 0) {
        log_debug("delivery", "the message has a provider id already, or another has this one",
                  {{"message", message_id}});
    }
}

void add_parts(Transaction& tx, const std::string& message_id, const std::string& channel,
               const TryResult& result, TimeMs now) {
    int64_t part = 0;
    for (const std::string& id : result.part_ids) {
        tx.run(sql::part_insert, {channel, id, message_id, ++part, std::string{"accepted"},
                                  int64_t{rank_of("accepted")}, now});
        if (const auto early = adopt_early(tx, message_id, channel, id)) {
            tx.run(sql::status_part, {early->status, early->rank, now, channel, id});
        }
    }
    tx.run(sql::status_parts_of, {part, message_id});
}

}  // namespace

bool raise_status(Transaction& tx, const MessageOn& message, const std::string& status,
                  const std::string& code, const std::string& reason, TimeMs now) {
    const bool raised =
        tx.change(sql::status_apply, {status, int64_t{rank_of(status)}, text_or_null(code),
                                      text_or_null(redact(reason)), now, message.id}) > 0;
    if (!raised) return false;
    tx.note(changes::message_status, message.id);
    count_message(tx, message.channel, "out", status);
    return true;
}

StatusApplied apply_status_event(Transaction& tx, Ids& ids, const StatusEvent& event, TimeMs now) {
    const auto found = find_message_of(tx, event);
    const int accepted = rank_of("accepted");
    // Only a send under way or of unknown outcome has a job to end; the lane comes before the rest.
    const bool may_be_evidence =
        found && found->rank < accepted && rank_of(event.status) >= accepted;
    if (may_be_evidence) touch_lane(tx, found->conversation_id);

    StatusApplied applied;
    applied.stored = store_event(tx, ids, event, found, now);
    if (!found) return applied;
    applied.message_id = found->message_id;
    applied.conversation_id = found->conversation_id;
    if (!applied.stored) return applied;

    std::string status = event.status;
    if (found->by_our_id && !found->is_part) {
        link_provider_id(tx, found->message_id, event.provider_id, now);
        const auto early = adopt_early(tx, found->message_id, event.channel, event.provider_id);
        if (early && early->rank > rank_of(status)) status = early->status;
    }
    if (found->is_part) {
        tx.run(sql::status_part, {event.status, int64_t{rank_of(event.status)}, now, event.channel,
                                  event.provider_id});
        status = status_of_parts(tx, found->message_id);
    }
    if (!status.empty()) {
        applied.raised = raise_status(tx, {event.channel, found->message_id}, status, event.code,
                                      event.reason, now);
    }
    if (applied.raised) applied.status = status;
    if (may_be_evidence) applied.lane_moved = end_as_proven(tx, ids, *found, now);
    return applied;
}

std::string record_acceptance(Transaction& tx, const std::string& message_id,
                              const TryResult& result, TimeMs now) {
    const auto message = tx.first(sql::status_of, {message_id});
    if (!message) return {};
    const std::string& channel = message->text(3);
    if (!result.external_conversation.empty()) {
        tx.run(sql::conversation_opened, {result.external_conversation, now, message->text(0)});
    }
    link_provider_id(tx, message_id, result.provider_id, now);
    if (result.provider_id.empty()) tx.run(sql::status_sent, {now, message_id});

    std::string status = result.status, code, reason;
    if (result.part_ids.size() > 1) {
        add_parts(tx, message_id, channel, result, now);
        status = status_of_parts(tx, message_id);
    } else if (const auto early = adopt_early(tx, message_id, channel, result.provider_id);
               early && early->rank > rank_of(status)) {
        status = early->status;
        code = early->code;
        reason = early->reason;
    }
    if (!raise_status(tx, {channel, message_id}, status, code, reason, now))
        return message->text(1);
    return status;
}

std::vector<EarlyStatus> find_reunited(Session& session, TimeMs now) {
    std::vector<EarlyStatus> found;
    for (const Row& row :
         session.run(sql::status_reunite, {Ids::lowest_at(now - reunite_within_ms)})) {
        found.push_back({row.text(1), row.text(2), row.text(3), row.text(4)});
    }
    return found;
}

bool reunite(Transaction& tx, const EarlyStatus& early, TimeMs now) {
    const auto best = adopt_early(tx, early.message_id, early.channel, early.provider_id);
    return best && raise_status(tx, {early.channel, early.message_id}, best->status, best->code,
                                best->reason, now);
}

}  // namespace patchbay
