// What the API and the flows read: rows of conversations, messages and contacts as values.
#pragma once
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace patchbay {

struct ConversationView {
    std::string id, channel, state, mode, kind, purpose, context;
    int64_t number = 0, unread = 0, last_seq = 0, version = 0;
    std::optional<std::string> department, assignee, contact_id, external_id, friendly_name,
        unique_name;
    std::string contact_name;
    std::optional<Address> address;
    std::string preview;
    std::optional<std::string> last_sender;
    TimeMs last_message_at = 0, last_inbound_at = 0, created_at = 0, updated_at = 0;
    std::optional<TimeMs> closed_at;
    bool is_live() const { return state == "open" || state == "pending"; }
    /// In the contact's name or address, or in the preview; without regard to case.
    bool mentions(const std::string& words) const;
    static ConversationView from_row(const Row& row);
};

struct MediaView {
    std::string id, state, type, name;
    std::optional<int64_t> bytes;
    std::optional<std::string> provider_id, url;
};

struct MessageView {
    std::string id, conversation_id, channel, direction, sender_type, sender_name, peer, own, kind,
        body, attributes, status;
    int64_t number = 0, seq = 0;
    std::optional<std::string> sender_id, provider_id, error_code, error_reason, template_json,
        reply_to, client_ref;
    std::optional<TimeMs> sent_at, valid_until;
    TimeMs event_at = 0, created_at = 0, updated_at = 0;
    std::optional<TimeMs> last_event_at;  ///< Newest word of the provider. Filled by find_message.
    std::vector<MediaView> media;         ///< Filled by load_media.
    static MessageView from_row(const Row& row);
};

struct ContactView {
    std::string id, name, attributes;
    std::optional<std::string> locale;
    int64_t version = 0;
    bool active = true;
    TimeMs created_at = 0, updated_at = 0, last_message_at = 0;
    std::vector<Address> addresses;  ///< Filled by find_contact and load_addresses.
    static ContactView from_row(const Row& row);
};

/// Ids of people are texts; a whole number is the number of the same object.
std::optional<int64_t> as_number(const std::string& id);

std::optional<ConversationView> find_conversation(Session& session,
                                                  const std::string& id_or_number);
std::optional<MessageView> find_message(Session& session,
                                        const std::string& id_or_number);  ///< With media.
/// Also by the id of one that was merged into it.
std::optional<ContactView> find_contact(Session& session, const std::string& id);
void load_media(Session& session, std::vector<MessageView>& messages);
void load_addresses(Session& session, std::vector<ContactView>& contacts);

}  // namespace patchbay
