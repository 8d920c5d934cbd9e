// What a caller may see, in SQL: written once, used by every list and every read of conversations
// and of what hangs on them (S69). $1 to $3 of these statements are sight_values().
//
// A list is read in windows of bounded size: the window's own statement finds where it ends, among
// visible and other rows alike, and the list's gives the visible ones in it. So a caller who may
// see little costs no more than one who may see all.
#pragma once
#include "messaging/statements.hpp"

namespace patchbay::sql {

// The line breaks around the names keep "Bar" from being found in "Barbers". A conversation of no
// department is everybody's who has departments, but a demo is Management's.
#define PATCHBAY_OWN                                                                    \
    "(c.assignee=$2 OR replace($3,'\n'||COALESCE(c.department,CASE c.kind WHEN 'demo' " \
    "THEN 'Management' ELSE '' END)||'\n','')<>$3)"
/// Of conversations c.
#define PATCHBAY_SEEN "($1=1 OR " PATCHBAY_OWN ")"
/// Of rows that hang on the conversation `id`.
#define PATCHBAY_SEEN_BY(id) \
    "($1=1 OR EXISTS(SELECT 1 FROM conversations c WHERE c.id=" id " AND " PATCHBAY_OWN "))"
/// Of the contact `id`: whoever sees one of its conversations.
#define PATCHBAY_SEEN_CONTACT(id) \
    "($1=1 OR EXISTS(SELECT 1 FROM conversations c WHERE c.contact_id=" id " AND " PATCHBAY_OWN "))"

// ---- conversations ----
inline const Statement conversation_seen{"conversation.seen",
                                         PATCHBAY_CONVERSATION_COLUMNS "WHERE " PATCHBAY_SEEN
                                                                       " AND c.id=$4",
                                         {"PRIMARY"}};
inline const Statement conversation_seen_by_number{"conversation.seen_by_number",
                                                   PATCHBAY_CONVERSATION_COLUMNS
                                                   "WHERE " PATCHBAY_SEEN " AND c.number=$4",
                                                   {"conversations_number"}};
inline const Statement conversation_seen_newest{
    "conversation.seen_newest",
    PATCHBAY_CONVERSATION_COLUMNS "WHERE " PATCHBAY_SEEN
                                  " AND c.contact_id=$4 ORDER BY c.last_message_at DESC,c.id DESC "
                                  "LIMIT 1",
    {"conversations_contact"}};

#define PATCHBAY_CONVERSATION_WINDOW "SELECT c.last_message_at,c.id FROM conversations c WHERE "
#define PATCHBAY_NEWEST_FIRST "ORDER BY c.last_message_at DESC,c.id DESC "
#define PATCHBAY_SEEN_CONVERSATIONS PATCHBAY_CONVERSATION_COLUMNS "WHERE " PATCHBAY_SEEN " AND "
inline const Statement conversation_window{"conversation.window",
                                           PATCHBAY_CONVERSATION_WINDOW
                                           "(c.last_message_at,c.id)<($1,$2) " PATCHBAY_NEWEST_FIRST
                                           "LIMIT 1 OFFSET $3",
                                           {"conversations_recent"}};
inline const Statement conversation_seen_all{
    "conversation.seen_all",
    PATCHBAY_SEEN_CONVERSATIONS
    "(c.last_message_at,c.id)<($4,$5) AND "
    "(c.last_message_at,c.id)>=($6,$7) " PATCHBAY_NEWEST_FIRST,
    {"conversations_recent"}};
inline const Statement conversation_window_department{
    "conversation.window_department",
    PATCHBAY_CONVERSATION_WINDOW
    "c.department=$1 AND (c.last_message_at,c.id)<($2,$3) " PATCHBAY_NEWEST_FIRST
    "LIMIT 1 OFFSET $4",
    {"conversations_department"}};
inline const Statement conversation_seen_department{
    "conversation.seen_department",
    PATCHBAY_SEEN_CONVERSATIONS
    "c.department=$4 AND (c.last_message_at,c.id)<($5,$6) AND "
    "(c.last_message_at,c.id)>=($7,$8) " PATCHBAY_NEWEST_FIRST,
    {"conversations_department"}};
inline const Statement conversation_window_no_department{
    "conversation.window_no_department",
    PATCHBAY_CONVERSATION_WINDOW
    "c.department IS NULL AND (c.last_message_at,c.id)<($1,$2) " PATCHBAY_NEWEST_FIRST
    "LIMIT 1 OFFSET $3",
    {"conversations_department"}};
inline const Statement conversation_seen_no_department{
    "conversation.seen_no_department",
    PATCHBAY_SEEN_CONVERSATIONS
    "c.department IS NULL AND (c.last_message_at,c.id)<($4,$5) AND "
    "(c.last_message_at,c.id)>=($6,$7) " PATCHBAY_NEWEST_FIRST,
    {"conversations_department"}};
inline const Statement conversation_window_assignee{
    "conversation.window_assignee",
    PATCHBAY_CONVERSATION_WINDOW
    "c.assignee=$1 AND (c.last_message_at,c.id)<($2,$3) " PATCHBAY_NEWEST_FIRST "LIMIT 1 OFFSET $4",
    {"conversations_assignee"}};
inline const Statement conversation_seen_assignee{
    "conversation.seen_assignee",
    PATCHBAY_SEEN_CONVERSATIONS
    "c.assignee=$4 AND (c.last_message_at,c.id)<($5,$6) AND "
    "(c.last_message_at,c.id)>=($7,$8) " PATCHBAY_NEWEST_FIRST,
    {"conversations_assignee"}};
inline const Statement conversation_window_contact{
    "conversation.window_contact",
    PATCHBAY_CONVERSATION_WINDOW
    "c.contact_id=$1 AND (c.last_message_at,c.id)<($2,$3) " PATCHBAY_NEWEST_FIRST
    "LIMIT 1 OFFSET $4",
    {"conversations_contact"}};
inline const Statement conversation_seen_contact{
    "conversation.seen_contact",
    PATCHBAY_SEEN_CONVERSATIONS
    "c.contact_id=$4 AND (c.last_message_at,c.id)<($5,$6) AND "
    "(c.last_message_at,c.id)>=($7,$8) " PATCHBAY_NEWEST_FIRST,
    {"conversations_contact"}};

// ---- messages ----
inline const Statement message_seen{
    "message.seen",
    "SELECT id FROM messages WHERE " PATCHBAY_SEEN_BY("messages.conversation_id") " AND id=$4",
    {"PRIMARY"}};
inline const Statement message_seen_by_number{
    "message.seen_by_number",
    "SELECT id FROM messages WHERE " PATCHBAY_SEEN_BY("messages.conversation_id") " AND number=$4",
    {"messages_number", "PRIMARY"}};

#define PATCHBAY_SEEN_MESSAGES \
    PATCHBAY_MESSAGE_COLUMNS "WHERE " PATCHBAY_SEEN_BY("messages.conversation_id") " AND "
inline const Statement message_window{
    "message.window",
    "SELECT id FROM messages WHERE id<$1 ORDER BY id DESC LIMIT 1 OFFSET $2",
    {"PRIMARY"}};
inline const Statement message_seen_all{
    "message.seen_all", PATCHBAY_SEEN_MESSAGES "id<$4 AND id>=$5 ORDER BY id DESC", {"PRIMARY"}};
inline const Statement message_window_channel{
    "message.window_channel",
    "SELECT id FROM messages WHERE channel=$1 AND id<$2 ORDER BY id DESC LIMIT 1 OFFSET $3",
    {"messages_channel"}};
inline const Statement message_seen_channel{"message.seen_channel",
                                            PATCHBAY_SEEN_MESSAGES
                                            "channel=$4 AND id<$5 AND id>=$6 ORDER BY id DESC",
                                            {"messages_channel", "PRIMARY"}};
inline const Statement message_window_peer{
    "message.window_peer",
    "SELECT id FROM messages WHERE peer=$1 AND id<$2 ORDER BY id DESC LIMIT 1 OFFSET $3",
    {"messages_peer"}};
inline const Statement message_seen_peer{"message.seen_peer",
                                         PATCHBAY_SEEN_MESSAGES
                                         "peer=$4 AND id<$5 AND id>=$6 ORDER BY id DESC",
                                         {"messages_peer", "PRIMARY"}};

// ---- contacts ----
inline const Statement contact_seen{
    "contact.seen",
    "SELECT id FROM contacts WHERE " PATCHBAY_SEEN_CONTACT("contacts.id") " AND id=$4",
    {"conversations_contact", "PRIMARY"}};
inline const Statement contact_window{
    "contact.window",
    "SELECT last_message_at,id FROM contacts WHERE merged_into IS NULL AND "
    "(last_message_at,id)<($1,$2) ORDER BY last_message_at DESC,id DESC LIMIT 1 OFFSET $3",
    {"contacts_recent"}};
inline const Statement contact_seen_all{
    "contact.seen_all",
    "SELECT id,name,attributes,active,created_at,updated_at,last_message_at,locale,version FROM "
    "contacts WHERE " PATCHBAY_SEEN_CONTACT(
        "contacts.id") " AND merged_into IS NULL AND erased_at IS NULL AND "
                       "(last_message_at,id)<($4,$5) AND (last_message_at,id)>=($6,$7) "
                       "ORDER BY last_message_at DESC,id DESC",
    {"contacts_recent", "conversations_contact"}};

}  // namespace patchbay::sql
