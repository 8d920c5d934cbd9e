// SQL of contacts, consent, conversations and messages (data-model.md section 6). Each names the
// index its plan must use.
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

// ---- numbers ----
inline const Statement counter_block{
    "counter.block",
    "INSERT INTO counters(name,value) VALUES($1,$2) ON CONFLICT(name) DO UPDATE SET "
    "value=counters.value+excluded.value RETURNING value"};

// ---- contacts ----
inline const Statement address_find{
    "address.find",
    "SELECT a.id,a.contact_id,c.name,c.version,c.erased_at FROM addresses a JOIN contacts c ON "
    "c.id=a.contact_id WHERE a.kind=$1 AND a.value=$2",
    {"addresses_value", "PRIMARY"}};
inline const Statement address_insert{
    "address.insert",
    "INSERT INTO addresses(id,kind,value,contact_id,created_at) VALUES($1,$2,$3,$4,$5)"};
inline const Statement address_of_contact{
    "address.of_contact",
    "SELECT id,kind,value FROM addresses WHERE contact_id=$1 ORDER BY id",
    {"addresses_contact"}};
inline const Statement contact_insert{
    "contact.insert",
    "INSERT INTO contacts(id,name,last_message_at,created_at,updated_at) VALUES($1,$2,$3,$4,$5)"};
inline const Statement contact_touch{
    "contact.touch",
    "UPDATE contacts SET last_message_at=CASE WHEN last_message_at<$1 THEN $1 ELSE last_message_at "
    "END,name=$2,updated_at=$3 WHERE id=$4",
    {"PRIMARY"}};
inline const Statement contact_get{
    "contact.get",
    "SELECT id,name,attributes,active,created_at,updated_at,last_message_at,locale,version FROM "
    "contacts WHERE id=$1 AND merged_into IS NULL AND erased_at IS NULL",
    {"PRIMARY"}};
inline const Statement contact_change{
    "contact.change",
    "UPDATE contacts SET name=$1,locale=$2,attributes=$3,active=$4,updated_at=$5,version=version+1 "
    "WHERE id=$6 AND version=$7 RETURNING version",
    {"PRIMARY"}};
inline const Statement contact_kept{
    "contact.kept",
    "SELECT merged_into FROM contacts WHERE id=$1 AND merged_into IS NOT NULL",
    {"PRIMARY"}};

// ---- merging contacts ----
inline const Statement merge_addresses{
    "merge.addresses",
    "UPDATE addresses SET contact_id=$1 WHERE contact_id=$2 RETURNING id",
    {"addresses_contact"}};
inline const Statement conversation_of_contact{
    "conversation.of_contact",
    "SELECT id,channel,purpose,state FROM conversations WHERE contact_id=$1",
    {"conversations_contact"}};
inline const Statement merge_conversations{
    "merge.conversations",
    "UPDATE conversations SET contact_id=$1,updated_at=$2,version=version+1 WHERE contact_id=$3",
    {"conversations_contact"}};
inline const Statement merge_participants{
    "merge.participants",
    "UPDATE participants SET ref=$1 WHERE ref=$2 AND active=1 AND kind='contact' AND NOT EXISTS "
    "(SELECT 1 FROM participants p WHERE p.conversation_id=participants.conversation_id AND "
    "p.kind='contact' AND p.ref=$1)",
    {"participants_ref", "PRIMARY"}};
// Chains stay flat: what had been merged into the gone one is the kept one's now.
inline const Statement merge_earlier{"merge.earlier",
                                     "UPDATE contacts SET merged_into=$1 WHERE merged_into=$2",
                                     {"contacts_merged"}};
inline const Statement merge_gone{
    "merge.gone",
    "UPDATE contacts SET merged_into=$1,updated_at=$2,version=version+1 WHERE id=$3",
    {"PRIMARY"}};
inline const Statement merge_record{
    "merge.record",
    "INSERT INTO contact_merges(id,kept_id,gone_id,moved,actor,at) VALUES($1,$2,$3,$4,$5,$6)"};

inline const Statement contact_list{
    "contact.list",
    "SELECT id,name,attributes,active,created_at,updated_at,last_message_at,locale,version FROM "
    "contacts WHERE merged_into IS NULL AND erased_at IS NULL AND (last_message_at,id)<($1,$2) "
    "ORDER BY last_message_at DESC,id DESC LIMIT $3",
    {"contacts_recent"}};

// ---- consent ----
inline const Statement consent_get{
    "consent.get", "SELECT channel,state,at FROM consents WHERE kind=$1 AND value=$2", {"PRIMARY"}};
inline const Statement consent_set{
    "consent.set",
    "INSERT INTO consents(kind,value,channel,state,source,at) VALUES($1,$2,$3,$4,$5,$6) ON "
    "CONFLICT(kind,value,channel) DO UPDATE SET "
    "state=excluded.state,source=excluded.source,at=excluded.at WHERE consents.at<=excluded.at "
    "RETURNING state"};
inline const Statement consent_record{
    "consent.record",
    "INSERT INTO consent_history(id,kind,value,channel,state,source,evidence,actor,at) "
    "VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9)"};

// ---- conversations ----
// One for each purpose at most, so the caller finds the newest: an order with a limit would cost
// SQLite a table in memory, and lead it to an index that has the closed ones too.
inline const Statement conversation_find_live{
    "conversation.find_live",
    "SELECT id,number,state,mode,kind,department,assignee,context,version,last_message_at FROM "
    "conversations WHERE channel=$1 AND contact_id=$2 AND state IN ('open','pending')",
    {"conversations_live"}};
inline const Statement conversation_create{
    "conversation.create",
    "INSERT INTO "
    "conversations(id,number,channel,contact_id,address_id,purpose,state,mode,kind,department,last_"
    "message_at,created_at,updated_at) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13) ON "
    "CONFLICT(channel,contact_id,purpose) WHERE state IN ('open','pending') DO NOTHING"};
inline const Statement conversation_find_purpose{
    "conversation.find_purpose",
    "SELECT id FROM conversations WHERE channel=$1 AND contact_id=$2 AND purpose=$3 AND state IN "
    "('open','pending')",
    {"conversations_live"}};
inline const Statement conversation_find_closed{
    "conversation.find_closed",
    "SELECT id,mode FROM conversations WHERE contact_id=$1 AND channel=$2 AND purpose=$3 AND "
    "state='closed' ORDER BY last_message_at DESC,id DESC LIMIT 1",
    {"conversations_contact"}};
inline const Statement conversation_by_external{
    "conversation.by_external",
    "SELECT id FROM conversations WHERE channel=$1 AND external_id=$2",
    {"conversations_external"}};
inline const Statement conversation_by_unique_name{
    "conversation.by_unique_name",
    "SELECT id FROM conversations WHERE channel=$1 AND unique_name=$2",
    {"conversations_unique_name"}};
inline const Statement conversation_describe{
    "conversation.describe",
    "UPDATE conversations SET assignee=$1,external_id=$2,friendly_name=$3,unique_name=$4,"
    "context=$5 WHERE id=$6",
    {"PRIMARY"}};
inline const Statement conversation_rename{
    "conversation.rename", "UPDATE conversations SET friendly_name=$1 WHERE id=$2", {"PRIMARY"}};
inline const Statement read_team{
    "read.team",
    "UPDATE conversations SET unread=(SELECT COUNT(*) FROM messages m WHERE "
    "m.conversation_id=conversations.id AND m.seq>$1 AND m.direction='in'),updated_at=$2 WHERE "
    "id=$3 RETURNING unread",
    {"PRIMARY", "messages_seq"}};
inline const Statement read_user{
    "read.user",
    "UPDATE participants SET read_seq=$1,read_at=$2 WHERE conversation_id=$3 AND kind='user' AND "
    "ref=$4 AND read_seq<$1 RETURNING read_seq",
    {"PRIMARY"}};
inline const Statement conversation_change{
    "conversation.change",
    "UPDATE conversations SET "
    "state=$1,mode=$2,kind=$3,department=$4,assignee=$5,purpose=$6,context=$7,closed_at=$8,updated_"
    "at=$9,version=version+1 WHERE id=$10 AND version=$11 RETURNING version",
    {"PRIMARY"}};

// One column list for every way to read a conversation: ConversationView::from_row relies on its
// order.
#define PATCHBAY_CONVERSATION_COLUMNS                                                              \
    "SELECT c.id,c.number,c.channel,c.state,c.mode,c.kind,c.department,c.assignee,c.last_message_" \
    "at,c.last_message_preview,c.last_message_sender,c.unread,k.name,c.contact_id,c.address_id,"   \
    "c.external_id,c.last_seq,c.version,c.created_at,c.updated_at,a.kind,a.value,c.purpose,"       \
    "c.context,c.last_inbound_at,c.friendly_name,c.unique_name,c.closed_at FROM conversations c "  \
    "LEFT JOIN contacts k ON k.id=c.contact_id "                                                   \
    "LEFT JOIN addresses a ON a.id=c.address_id "
inline const Statement conversation_get{
    "conversation.get", PATCHBAY_CONVERSATION_COLUMNS "WHERE c.id=$1", {"PRIMARY"}};
inline const Statement conversation_by_number{"conversation.by_number",
                                              PATCHBAY_CONVERSATION_COLUMNS "WHERE c.number=$1",
                                              {"conversations_number"}};
inline const Statement conversation_list_all{"conversation.list_all",
                                             PATCHBAY_CONVERSATION_COLUMNS
                                             "WHERE (c.last_message_at,c.id)<($1,$2) ORDER BY "
                                             "c.last_message_at DESC,c.id DESC LIMIT $3",
                                             {"conversations_recent"}};
inline const Statement conversation_list_department{
    "conversation.list_department",
    PATCHBAY_CONVERSATION_COLUMNS
    "WHERE c.department=$1 AND (c.last_message_at,c.id)<($2,$3) "
    "ORDER BY c.last_message_at DESC,c.id DESC LIMIT $4",
    {"conversations_department"}};
inline const Statement conversation_list_no_department{
    "conversation.list_no_department",
    PATCHBAY_CONVERSATION_COLUMNS
    "WHERE c.department IS NULL AND (c.last_message_at,c.id)<($1,$2) "
    "ORDER BY c.last_message_at DESC,c.id DESC LIMIT $3",
    {"conversations_department"}};
inline const Statement conversation_list_assignee{
    "conversation.list_assignee",
    PATCHBAY_CONVERSATION_COLUMNS
    "WHERE c.assignee=$1 AND (c.last_message_at,c.id)<($2,$3) "
    "ORDER BY c.last_message_at DESC,c.id DESC LIMIT $4",
    {"conversations_assignee"}};
inline const Statement conversation_list_contact{
    "conversation.list_contact",
    PATCHBAY_CONVERSATION_COLUMNS
    "WHERE c.contact_id=$1 AND (c.last_message_at,c.id)<($2,$3) "
    "ORDER BY c.last_message_at DESC,c.id DESC LIMIT $4",
    {"conversations_contact"}};

// ---- messages ----
inline const Statement message_next_seq{
    "message.next_seq",
    "UPDATE conversations SET last_seq=last_seq+1,last_message_at=CASE WHEN last_message_at<$1 "
    "THEN $1 ELSE last_message_at "
    "END,last_message_preview=$2,last_message_sender=$3,last_inbound_at=CASE WHEN "
    "last_inbound_at<$4 THEN $4 ELSE last_inbound_at END,unread=unread+$5,updated_at=$6 WHERE "
    "id=$7",
    {"PRIMARY"}};
inline const Statement message_seq{"message.seq",
                                   "SELECT last_seq,state,mode,version FROM conversations WHERE "
                                   "id=$1",
                                   {"PRIMARY"}};
inline const Statement message_insert{
    "message.insert",
    "INSERT INTO messages(id,number,conversation_id,seq,channel,direction,sender_type,sender_id,"
    "sender_name,peer,own,kind,body,template,attributes,reply_to,provider_id,client_ref,status,"
    "rank,valid_until,resend_of,event_at,created_at,updated_at) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,"
    "$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25)"};
inline const Statement media_insert{
    "media.insert",
    "INSERT INTO media(id,message_id,place,state,type,name,bytes,provider_id,url,created_at,"
    "updated_at) VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)"};
inline const Statement media_of_message{
    "media.of_message",
    "SELECT id,place,state,type,name,bytes,provider_id,url FROM media WHERE message_id=$1 ORDER BY "
    "place",
    {"media_message"}};

// As above: MessageView::from_row relies on this order.
#define PATCHBAY_MESSAGE_COLUMNS                                                                 \
    "SELECT id,number,conversation_id,seq,channel,direction,sender_type,sender_id,sender_name,"  \
    "peer,own,kind,body,attributes,provider_id,status,error_code,error_reason,sent_at,event_at," \
    "created_at,updated_at,template,reply_to,valid_until,client_ref FROM messages "
inline const Statement message_get{
    "message.get", PATCHBAY_MESSAGE_COLUMNS "WHERE id=$1", {"PRIMARY"}};
inline const Statement message_by_number{
    "message.by_number", PATCHBAY_MESSAGE_COLUMNS "WHERE number=$1", {"messages_number"}};
inline const Statement message_by_seq{"message.by_seq",
                                      PATCHBAY_MESSAGE_COLUMNS
                                      "WHERE conversation_id=$1 AND seq=$2",
                                      {"messages_seq"}};
inline const Statement message_list{
    "message.list",
    PATCHBAY_MESSAGE_COLUMNS "WHERE conversation_id=$1 AND seq<$2 ORDER BY seq DESC LIMIT $3",
    {"messages_seq"}};
inline const Statement message_list_all{"message.list_all",
                                        PATCHBAY_MESSAGE_COLUMNS
                                        "WHERE id<$1 ORDER BY id DESC LIMIT $2",
                                        {"PRIMARY"}};
inline const Statement message_list_channel{"message.list_channel",
                                            PATCHBAY_MESSAGE_COLUMNS
                                            "WHERE channel=$1 AND id<$2 ORDER BY id DESC LIMIT $3",
                                            {"messages_channel"}};
inline const Statement message_list_peer{"message.list_peer",
                                         PATCHBAY_MESSAGE_COLUMNS
                                         "WHERE peer=$1 AND id<$2 ORDER BY id DESC LIMIT $3",
                                         {"messages_peer"}};
inline const Statement message_last_event{"message.last_event",
                                          "SELECT MAX(at) FROM message_events WHERE message_id=$1",
                                          {"message_events_message"}};
inline const Statement message_by_provider{
    "message.by_provider",
    "SELECT id,conversation_id,status,rank FROM messages WHERE channel=$1 AND provider_id=$2",
    {"messages_provider"}};

// ---- files that the hub keeps ----
inline const Statement media_keep{
    "media.keep",
    "INSERT INTO media(id,message_id,place,state,type,name,bytes,sha256,blob_key,created_at,"
    "updated_at) VALUES($1,$2,$3,'stored',$4,$5,$6,$7,$8,$9,$9)"};
inline const Statement media_stored{
    "media.stored",
    "SELECT type,name,bytes,sha256,blob_key,message_id FROM media WHERE id=$1 AND state='stored' "
    "AND blob_key IS NOT NULL",
    {"PRIMARY"}};
inline const Statement media_orphans{
    "media.orphans",
    "SELECT id,blob_key,created_at FROM media WHERE message_id IS NULL ORDER BY id LIMIT $1",
    {"media_orphans"}};
inline const Statement media_drop{"media.drop", "DELETE FROM media WHERE id=$1", {"PRIMARY"}};
inline const Statement media_blob_used{
    "media.blob_used", "SELECT id FROM media WHERE blob_key=$1 LIMIT 1", {"media_blob"}};

inline const Statement template_list{
    "template.list",
    "SELECT id,name,language,channel,kind,department,body,fields,provider_id,category,approval,"
    "created_at,updated_at FROM templates WHERE retired_at IS NULL AND id<$1 ORDER BY id DESC "
    "LIMIT $2",
    {"PRIMARY"}};

}  // namespace patchbay::sql
