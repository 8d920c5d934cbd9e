#include "messaging/conversations.hpp"

#include "messaging/changes.hpp"
#include "messaging/statements.hpp"
#include "messaging/views.hpp"

namespace patchbay {
namespace {

std::optional<ConversationRef> find_live(Transaction& tx, const NewConversation& wanted) {
    const Rows rows = tx.run(sql::conversation_find_live, {wanted.channel, wanted.contact_id});
    const auto row = std::max_element(
        rows.begin(), rows.end(),
        [](const Row& older, const Row& newer) { return older.number(9) < newer.number(9); });
    if (row == rows.end()) return std::nullopt;
    return ConversationRef{row->text(0), row->text(3), row->number(8), false};
}

void apply(const std::optional<std::string>& change, std::string& value) {
    if (change) value = *change;
}

void apply(const std::optional<std::string>& change, std::optional<std::string>& value) {
    if (change) value = change->empty() ? std::nullopt : change;
}

void apply(const ConversationChanges& changes, ConversationView& view, TimeMs now) {
    apply(changes.state, view.state);
    apply(changes.mode, view.mode);
    apply(changes.kind, view.kind);
    apply(changes.department, view.department);
    apply(changes.assignee, view.assignee);
    apply(changes.purpose, view.purpose);
    apply(changes.context, view.context);
    if (view.is_live()) {
        view.closed_at.reset();
    } else if (!view.closed_at) {
        view.closed_at = now;
    }
}

std::optional<ConversationRef> reopen_closed(Transaction& tx, const NewConversation& wanted) {
    if (!wanted.reopen) return std::nullopt;
    const auto row = tx.first(sql::conversation_find_closed,
                              {wanted.contact_id, wanted.channel, wanted.purpose});
    if (!row) return std::nullopt;
    const std::string id = row->text(0);
    if (change_conversation(tx, id, {.state = "open"}, wanted.at) != Changed::done) {
        return std::nullopt;
    }
    return ConversationRef{id, row->text(1), find_conversation(tx, id)->version, false};
}

// Asked before the update: on PostgreSQL a broken unique key ends the whole transaction.
bool is_taken(Transaction& tx, const ConversationView& view) {
    if (!view.is_live() || !view.contact_id) return false;
    const auto live =
        tx.first(sql::conversation_find_purpose, {view.channel, *view.contact_id, view.purpose});
    return live && live->text(0) != view.id;
}

}  // namespace

ConversationRef find_or_create_conversation(Transaction& tx, Mint& mint,
                                            const NewConversation& wanted) {
    // With several writers (PostgreSQL) another transaction may make it, or close it, between the
    // two statements.
    for (int round = 0; round < 3; ++round) {
        if (auto live = find_live(tx, wanted)) return *live;
        if (auto reopened = reopen_closed(tx, wanted)) return *reopened;
        const std::string id = mint.ids.uuid();
        const size_t made =
            tx.change(sql::conversation_create,
                      {id, mint.numbers.next(), wanted.channel, wanted.contact_id,
                       wanted.address_id, wanted.purpose, std::string{"open"}, wanted.mode,
                       wanted.kind, nullable(wanted.department), wanted.at, wanted.at, wanted.at});
        if (made == 0) continue;
        tx.note(changes::conversation_created, id);
        return {id, wanted.mode, 1, true};
    }
    throw StoreError(StoreError::Kind::unavailable, "conversation kept changing hands");
}

Changed change_conversation(Transaction& tx, const std::string& id,
                            const ConversationChanges& changes, TimeMs now) {
    auto view = find_conversation(tx, id);
    if (!view) return Changed::not_found;
    const bool was_live = view->is_live();
    if (changes.if_version && *changes.if_version != view->version) return Changed::stale;
    apply(changes, *view, now);
    if (is_taken(tx, *view)) return Changed::taken;
    const auto changed = tx.first(
        sql::conversation_change,
        {view->state, view->mode, view->kind, nullable(view->department), nullable(view->assignee),
         view->purpose, view->context, nullable(view->closed_at), now, view->id, view->version});
    if (!changed) return Changed::stale;
    if (changes.friendly_name) {
        apply(changes.friendly_name, view->friendly_name);
        tx.run(sql::conversation_rename, {nullable(view->friendly_name), view->id});
    }
    const bool closes = was_live && !view->is_live();
    tx.note(
        closes ? patchbay::changes::conversation_closed : patchbay::changes::conversation_updated,
        view->id);
    return Changed::done;
}

void mark_conversation_read(Transaction& tx, const std::string& id, const std::string& user,
                            int64_t seq, TimeMs now) {
    tx.run(sql::read_team, {seq, now, id});
    if (!user.empty()) tx.run(sql::read_user, {seq, now, id, user});
    tx.note(changes::conversation_read, id);
}

}  // namespace patchbay
