// What plugins may do to contacts and conversations (messaging/1), apart from sending.
#pragma once
#include <patchbay/services.hpp>
#include <vector>

#include "delivery/messaging_service.hpp"
#include "http/exchange.hpp"
#include "messaging/views.hpp"

namespace patchbay {

messaging::ContactInfo contact_info(const ContactView& view);
/// Who asks a plugin, as the hub knows them.
Caller caller_of(const messaging::Asker& asker);
messaging::ConversationInfo conversation_info(const ConversationView& view);

/// An empty id: the contact of one of its addresses, or a new one. What is empty stays, attributes
/// are added, and so are addresses. Throws Error(not_found), Error(conflict) for another version
/// or an address that is somebody else's, Error(request) without id and address.
messaging::ContactInfo save_contact(const MessagingService& service,
                                    const messaging::ContactInfo& contact);

/// The live one of this contact, channel and purpose, or the one of this external id, as it is;
/// else a new one. Throws Error(not_found) for an unknown channel or contact, Error(request) for a
/// word that is none, Error(conflict) for a unique name or external id that another one has.
messaging::ConversationInfo open_conversation(const MessagingService& service,
                                              const messaging::NewConversation& wanted);

/// Throws Error(not_found), Error(request), Error(conflict).
messaging::ConversationInfo change_conversation(const MessagingService& service,
                                                const messaging::ConversationChange& change);
messaging::ConversationInfo change_conversation(Transaction& tx, const MessagingService& service,
                                                const messaging::ConversationChange& change);

/// At most 200, newest message first.
std::vector<messaging::ConversationInfo> list_conversations(
    const MessagingService& service, const messaging::ConversationQuery& query);

/// `user` empty: for the whole team. Throws Error(not_found).
void read_conversation(const MessagingService& service, const std::string& id,
                       const std::string& user, uint64_t seq);

}  // namespace patchbay
