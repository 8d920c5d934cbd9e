#include "messaging/conversations.hpp"

#include "messaging/changes.hpp"
#include "messaging/statements.hpp"

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

}  // namespace

ConversationRef find_or_create_conversation(Transaction& tx, Mint& mint,
                                            const NewConversation& wanted) {
    // With several writers (PostgreSQL) another transaction may make it, or close it, between the
    // two statements.
    for (int round = 0; round < 3; ++round) {
        if (auto live = find_live(tx, wanted)) return *live;
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

}  // namespace patchbay
