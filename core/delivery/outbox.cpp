#include "delivery/outbox.hpp"

#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "delivery/erasure.hpp"
#include "delivery/jobs.hpp"
#include "delivery/outbound.hpp"
#include "delivery/statements.hpp"
#include "delivery/status.hpp"
#include "identity/statements.hpp"
#include "messaging/consent.hpp"
#include "messaging/contacts.hpp"
#include "messaging/conversations.hpp"
#include "messaging/media.hpp"
#include "messaging/statements.hpp"
#include "messaging/status.hpp"
#include "messaging/views.hpp"

namespace patchbay {
namespace {

struct Target {
    std::string conversation_id, channel;
    Address to;
    TimeMs last_inbound_at = 0;
    bool created = false;
};

size_t count_characters(std::string_view text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

void require_known_conversation(const std::optional<ConversationView>& view) {
    if (!view) throw SendRefused("not_found", "there is no such conversation");
    if (view->state == "closed" || view->state == "archived") {
        throw SendRefused("conversation_closed", "the conversation is closed");
    }
}

Target known_target(Transaction& tx, const Draft& draft) {
    const auto view = find_conversation(tx, draft.conversation_id);
    require_known_conversation(view);
    Target target{view->id, view->channel, draft.to, view->last_inbound_at, false};
    if (target.to.value.empty() && view->address) target.to = *view->address;
    return target;
}

// What has the form of our ids is one of ours; any other id is the provider's, whom only its plugin
// knows.
void require_kept_media(Session& session, const Draft& draft) {
    constexpr size_t uuid_chars = 36;
    for (const Media& media : draft.media) {
        if (media.id.size() == uuid_chars && media.url.empty() &&
            !find_stored_media(session, media.id)) {
            throw SendRefused("unsupported_media", "there is no such file; upload it first");
        }
    }
}

void require_consent(Session& session, const Address& to, const std::string& channel) {
    if (!to.value.empty() && is_opted_out(session, to, channel)) {
        throw SendRefused("recipient_opted_out", "the recipient has opted out");
    }
}

Target target_by_address(Transaction& tx, Mint& mint, const Draft& draft, TimeMs now) {
    if (draft.to.value.empty())
        throw SendRefused("not_found", "neither a conversation nor an address is given");
    require_consent(tx, draft.to, draft.channel);  // Before a contact is made for nothing.
    const ContactRef contact = find_or_create_contact(tx, mint, draft.to, "", now);
    if (contact.created && was_erased(tx, draft.to)) {
        throw SendRefused("recipient_opted_out", "the recipient asked to be forgotten");
    }
    const ConversationRef conversation =
        find_or_create_conversation(tx, mint,
                                    {.channel = draft.channel,
                                     .contact_id = contact.contact_id,
                                     .address_id = contact.address_id,
                                     .purpose = draft.purpose,
                                     .mode = draft.mode,
                                     .kind = draft.conversation_kind,
                                     .department = draft.department,
                                     .at = now,
                                     .reopen = draft.reopen});
    Target target{conversation.id, draft.channel, draft.to, 0, conversation.created};
    if (!conversation.created) {
        target.last_inbound_at = find_conversation(tx, conversation.id)->last_inbound_at;
    }
    return target;
}

// A contact never heard from is offered to the provider: it may know more than we do.
void require_open_window(const Draft& draft, const Target& target, TimeMs now) {
    const auto window = draft.limits.session_window.count();
    if (window <= 0 || target.last_inbound_at == 0 || draft.from_template) return;
    if (target.last_inbound_at + window < now) {
        throw SendRefused("window_closed",
                          "the contact's last message is too long ago; use a template");
    }
}

NewMessage message_of(const Draft& draft, const Target& target, TimeMs valid_until) {
    NewMessage message;
    message.conversation_id = target.conversation_id;
    message.channel = target.channel;
    message.direction = "out";
    message.sender_type = draft.sender_type;
    message.sender_id = draft.sender_id;
    message.sender_name = draft.sender_name;
    message.peer = target.to.value;
    message.own = draft.from;
    message.kind = draft.kind;
    message.body = draft.text;
    if (draft.from_template) message.template_json = to_json(template_json(*draft.from_template));
    message.attributes = draft.attributes;
    message.reply_to = draft.reply_to;
    message.client_ref = draft.client_ref;
    message.status = "queued";
    message.valid_until = valid_until;
    message.resend_of = draft.resend_of;
    message.media = draft.media;
    return message;
}

// A caller that loops sends the same text again and again; five in a minute is what a person may
// need (api-shapes, How a send ends). The name of the bucket is a hash: neither the number nor the
// text is written a second time.
void require_no_flood(Transaction& tx, const Draft& draft, const Target& target, TimeMs now) {
    if (!draft.limit_repeats) return;
    constexpr TimeMs window = 60'000;
    constexpr TimeMs cost = window / 5;
    const std::string bucket =
        "resend:" + to_hex(sha256(target.channel + '\n' + target.to.value + '\n' + draft.text));
    if (!tx.first(sql::rate_take, {bucket, now + cost, now, cost, now + window - cost})) {
        throw SendRefused("rate_limited",
                          "this text went to this recipient five times in a minute");
    }
}

std::optional<QueuedMessage> find_repeated(Transaction& tx, const Draft& draft,
                                           const Target& target) {
    if (!draft.client_ref || target.created) return std::nullopt;
    const auto row =
        tx.first(sql::message_by_client_ref, {target.conversation_id, *draft.client_ref});
    if (!row) return std::nullopt;
    QueuedMessage earlier;
    earlier.message_id = row->text(0);
    earlier.number = row->number(1);
    earlier.seq = row->number(2);
    earlier.conversation_id = target.conversation_id;
    earlier.channel = target.channel;
    earlier.repeated = true;
    return earlier;
}

}  // namespace

SendLimits SendLimits::of(const Capabilities& capabilities) {
    SendLimits limits;
    limits.text_chars = capabilities.max_text_chars;
    limits.media = capabilities.media ? std::max<size_t>(capabilities.max_media, 1) : 0;
    limits.templates = capabilities.templates;
    limits.session_window = capabilities.session_window;
    return limits;
}

void require_fitting(const Draft& draft) {
    const SendLimits& limits = draft.limits;
    if (count_characters(draft.text) > limits.text_chars) {
        throw SendRefused("text_too_long", "the text has more than " +
                                               std::to_string(limits.text_chars) + " characters");
    }
    if (draft.media.size() > limits.media) {
        throw SendRefused("unsupported_media",
                          "at most " + std::to_string(limits.media) + " files on this channel");
    }
    if (draft.from_template && !limits.templates) {
        throw SendRefused("unsupported_media", "this channel has no templates");
    }
}

QueuedMessage queue_message(Transaction& tx, Mint& mint, const Draft& draft, TimeMs now) {
    require_fitting(draft);
    require_kept_media(tx, draft);
    const Target target = draft.conversation_id.empty() ? target_by_address(tx, mint, draft, now)
                                                        : known_target(tx, draft);
    if (auto earlier = find_repeated(tx, draft, target)) return *earlier;
    require_consent(tx, target.to, target.channel);
    require_open_window(draft, target, now);
    require_no_flood(tx, draft, target, now);

    const TimeMs valid_until =
        now + draft.validity.value_or(std::chrono::milliseconds{chat_validity}).count();
    // The lane before the conversation: the lock order of data-model.md.
    const LanePlace place = lock_lane(tx, target.conversation_id);
    const StoredMessage stored =
        append_message(tx, mint, message_of(draft, target, valid_until), now);
    const auto job = enqueue_job(tx, mint.ids,
                                 {.queue = target.channel,
                                  .ukey = draft.ukey.empty() ? "send:" + stored.id : draft.ukey,
                                  .kind = "send",
                                  .ref = stored.id,
                                  .trace = draft.trace,
                                  .priority = draft.priority,
                                  .valid_until = valid_until},
                                 place, now);
    if (!job) throw StoreError(StoreError::Kind::constraint, "this send is queued already");
    return {stored.id, target.conversation_id, target.channel, stored.number, stored.seq,
            job->id,   target.created,         false};
}

bool cancel_message(Transaction& tx, const std::string& message_id, TimeMs now) {
    const auto message = tx.first(sql::status_of, {message_id});
    if (!message) return false;
    const std::string lane = message->text(0);
    touch_lane(tx, lane);
    bool was_cancelled = false;
    for (const Row& job : tx.run(sql::job_by_ref, {message_id})) {
        was_cancelled = cancel_job(tx, job.number(0), now) || was_cancelled;
    }
    if (!was_cancelled) return false;
    raise_status(tx, {message->text(3), message_id}, "cancelled", "", "", now);
    promote_next(tx, lane);
    return true;
}

}  // namespace patchbay
