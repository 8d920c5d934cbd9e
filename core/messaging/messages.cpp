#include "messaging/messages.hpp"

#include "messaging/changes.hpp"
#include "messaging/media.hpp"
#include "messaging/statements.hpp"
#include "messaging/status.hpp"

namespace patchbay {
namespace {

constexpr size_t preview_characters = 200;

void insert_media(Transaction& tx, Mint& mint, const std::string& message_id,
                  const std::vector<Media>& media, TimeMs now) {
    int64_t place = 0;
    for (const Media& item : media) {
        const std::string id = mint.ids.uuid();
        // One of our own: the message gets a row of its own over the same bytes.
        const auto own = item.id.empty() ? std::nullopt : find_stored_media(tx, item.id);
        if (own) {
            tx.run(sql::media_keep, {id, message_id, place++, own->type, own->name, own->bytes,
                                     own->sha256, own->blob_key, now});
            continue;
        }
        tx.run(sql::media_insert,
               {id, message_id, place++, std::string{"wanted"}, item.type, item.name,
                item.bytes == 0 ? Value{} : Value{static_cast<int64_t>(item.bytes)},
                item.id.empty() ? Value{} : Value{item.id},
                item.url.empty() ? Value{} : Value{item.url}, now, now});
    }
}

std::string preview_of(const NewMessage& message) {
    if (!message.body.empty()) return first_characters(message.body, preview_characters);
    return message.media.empty() ? std::string{} : "[" + message.kind + "]";
}

}  // namespace

std::string first_characters(std::string_view text, size_t count) {
    size_t end = 0;
    while (end < text.size() && count > 0) {
        ++end;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
        --count;
    }
    return std::string{text.substr(0, end)};
}

StoredMessage append_message(Transaction& tx, Mint& mint, const NewMessage& message, TimeMs now) {
    const bool inbound = message.direction == "in";
    const TimeMs event_at = message.event_at == 0 ? now : message.event_at;
    tx.change(sql::message_next_seq,
              {now, preview_of(message), message.sender_type, inbound ? now : TimeMs{0},
               inbound ? int64_t{1} : int64_t{0}, now, message.conversation_id});
    const auto row = tx.first(sql::message_seq, {message.conversation_id});
    if (!row) throw std::logic_error("append_message: no such conversation");

    StoredMessage stored{message.id.empty() ? mint.ids.uuid() : message.id,
                         mint.numbers.next(),
                         row->number(0),
                         row->text(1),
                         row->text(2),
                         row->number(3)};
    tx.run(sql::message_insert, {stored.id,
                                 stored.number,
                                 message.conversation_id,
                                 stored.seq,
                                 message.channel,
                                 message.direction,
                                 message.sender_type,
                                 nullable(message.sender_id),
                                 message.sender_name,
                                 message.peer,
                                 message.own,
                                 message.kind,
                                 message.body,
                                 nullable(message.template_json),
                                 message.attributes,
                                 nullable(message.reply_to),
                                 nullable(message.provider_id),
                                 nullable(message.client_ref),
                                 message.status,
                                 int64_t{rank_of(message.status)},
                                 nullable(message.valid_until),
                                 nullable(message.resend_of),
                                 event_at,
                                 now,
                                 now});
    insert_media(tx, mint, stored.id, message.media, now);
    tx.note(changes::message_created, stored.id);
    count_message(tx, message.channel, message.direction, message.status);
    return stored;
}

}  // namespace patchbay
