// SQL that makes a person's texts go (S86). It reaches into the tables of several folders: what is
// to be erased is known in one place.
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

// ---- who was erased ----
inline const Statement erasure_add{
    "erasure.add",
    "INSERT INTO erasures(id,contact_id,proof,counts,actor,at) VALUES($1,$2,$3,'{}',$4,$5)"};
inline const Statement erasure_find{
    "erasure.find", "SELECT 1 FROM erasures WHERE proof=$1 LIMIT 1", {"erasures_proof"}};
inline const Statement erasure_counts{"erasure.counts",
                                      "UPDATE erasures SET counts=$1 WHERE proof=$2 AND "
                                      "contact_id=$3",
                                      {"erasures_proof"}};

// ---- at once ----
inline const Statement erase_contact{
    "erase.contact",
    "UPDATE contacts SET name='',locale=NULL,attributes='{}',active=0,erased_at=$1,updated_at=$1,"
    "version=version+1 WHERE id=$2",
    {"PRIMARY"}};
inline const Statement erase_merged{
    "erase.merged",
    "UPDATE contacts SET name='',locale=NULL,attributes='{}' WHERE merged_into=$1",
    {"contacts_merged"}};
inline const Statement erase_addresses{
    "erase.addresses", "DELETE FROM addresses WHERE contact_id=$1", {"addresses_contact"}};
inline const Statement erase_conversations{
    "erase.conversations",
    "UPDATE conversations SET state='archived',friendly_name=NULL,context='{}',"
    "last_message_preview='',unread=0,closed_at=$1,updated_at=$1,version=version+1 WHERE "
    "contact_id=$2",
    {"conversations_contact"}};
inline const Statement erase_timers{
    "erase.timers", "DELETE FROM timers WHERE conversation_id=$1", {"timers_conversation"}};
inline const Statement erase_flow_sessions{
    "erase.flow_sessions",
    "UPDATE flow_sessions SET data='{}',step='',state=CASE WHEN state='active' OR state='paused' "
    "THEN 'done' ELSE state END WHERE conversation_id=$1",
    {"flow_sessions_history"}};
inline const Statement erase_search_words{"erase.search_words",
                                          "DELETE FROM search_words WHERE conversation_id=$1",
                                          {"search_words_conversation"}};
// That they were given and when stays, for whom does not.
inline const Statement erase_older_consents{
    "erase.older_consents", "DELETE FROM consents WHERE kind=$1 AND value=$2", {"PRIMARY"}};
inline const Statement erase_consents{
    "erase.consents", "UPDATE consents SET value=$1 WHERE kind=$2 AND value=$3", {"PRIMARY"}};
inline const Statement erase_consent_history{
    "erase.consent_history",
    "UPDATE consent_history SET value=$1 WHERE kind=$2 AND value=$3",
    {"consent_history_address"}};

// ---- messages, so many of a conversation at a time ----
inline const Statement erase_open_sends{
    "erase.open_sends",
    "SELECT id FROM messages WHERE conversation_id=$1 AND direction='out' AND rank<30 "
    "ORDER BY seq LIMIT 200",
    {"messages_seq"}};
inline const Statement erase_running{
    "erase.running", "SELECT 1 FROM jobs WHERE ref=$1 AND state='running'", {"jobs_ref"}};
inline const Statement erase_last_seq{
    "erase.last_seq", "SELECT last_seq FROM conversations WHERE id=$1", {"PRIMARY"}};
inline const Statement erase_preview{
    "erase.preview", "UPDATE conversations SET last_message_preview='' WHERE id=$1", {"PRIMARY"}};
inline const Statement erase_messages{
    "erase.messages",
    "UPDATE messages SET body='',template=NULL,attributes='{}',peer='',client_ref=NULL,"
    "error_reason=NULL,sender_name=CASE WHEN direction='in' THEN '' ELSE sender_name END,"
    "indexed=1,erased_at=$1 WHERE conversation_id=$2 AND seq>$3 AND seq<=$4",
    {"messages_seq"}};
#define PATCHBAY_ERASED_MESSAGES \
    "(SELECT id FROM messages WHERE conversation_id=$1 AND seq>$2 AND seq<=$3)"
inline const Statement erase_status_texts{"erase.status_texts",
                                          "UPDATE message_events SET raw=NULL,error_reason=NULL "
                                          "WHERE message_id IN " PATCHBAY_ERASED_MESSAGES,
                                          {"message_events_message", "messages_seq"}};
inline const Statement erase_media_files{"erase.media_files",
                                         "SELECT blob_key FROM media WHERE blob_key IS NOT NULL "
                                         "AND message_id IN " PATCHBAY_ERASED_MESSAGES,
                                         {"media_message", "messages_seq"}};
inline const Statement erase_file_uses{
    "erase.file_uses", "SELECT COUNT(*) FROM media WHERE blob_key=$1", {"media_blob"}};
inline const Statement erase_media{
    "erase.media",
    "DELETE FROM media WHERE message_id IN " PATCHBAY_ERASED_MESSAGES,
    {"media_message", "messages_seq"}};
inline const Statement erase_attempts{
    "erase.attempts",
    "UPDATE attempts SET error=NULL,response_excerpt=NULL WHERE job_id IN (SELECT id FROM jobs "
    "WHERE ref IN " PATCHBAY_ERASED_MESSAGES ")",
    {"attempts_job", "jobs_ref", "messages_seq"}};
inline const Statement erase_jobs{"erase.jobs",
                                  "UPDATE jobs SET last_error=NULL,payload=NULL WHERE kind='send' "
                                  "AND ref IN " PATCHBAY_ERASED_MESSAGES,
                                  {"jobs_ref", "messages_seq"}};
inline const Statement erase_events{"erase.events",
                                    "UPDATE events SET data='{}' WHERE conversation_id=$1",
                                    {"events_conversation"}};
inline const Statement erase_ingress_of{
    "erase.ingress_of",
    "DELETE FROM ingress WHERE id IN (SELECT ingress_id FROM events WHERE conversation_id=$1)",
    {"PRIMARY", "events_conversation"}};

// ---- where only the content tells whose it is ----
inline const Statement erase_ingress_look{
    "erase.ingress_look",
    "SELECT id,url,body FROM ingress WHERE id>$1 ORDER BY id LIMIT 200",
    {"PRIMARY"}};
inline const Statement erase_ingress{
    "erase.ingress", "DELETE FROM ingress WHERE id=$1", {"PRIMARY"}};
inline const Statement erase_answers_look{
    "erase.answers_look",
    "SELECT scope,key,response FROM idempotency WHERE (scope,key)>($1,$2) ORDER BY scope,key LIMIT "
    "200",
    {"PRIMARY"}};
inline const Statement erase_answer{
    "erase.answer", "DELETE FROM idempotency WHERE scope=$1 AND key=$2", {"PRIMARY"}};
inline const Statement erase_tasks_look{
    "erase.tasks_look",
    "SELECT id,recipients FROM tasks WHERE id>$1 AND kind='bulk' ORDER BY id LIMIT 5",
    {"PRIMARY"}};
inline const Statement erase_recipients{
    "erase.recipients", "UPDATE tasks SET recipients=$1 WHERE id=$2", {"PRIMARY"}};
inline const Statement erase_exports{
    "erase.exports",
    "UPDATE tasks SET result=NULL,result_until=NULL WHERE subject=$1",
    {"tasks_subject"}};

}  // namespace patchbay::sql
