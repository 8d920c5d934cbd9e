#include "delivery/erasure.hpp"

#include <map>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "delivery/erasure_statements.hpp"
#include "delivery/outbox.hpp"
#include "delivery/task_statements.hpp"
#include "messaging/changes.hpp"
#include "messaging/statements.hpp"
#include "plugins/services/kv_statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr int64_t messages_at_once = 100;
constexpr size_t sends_at_once = 200;  // As in erase.open_sends.
constexpr auto pause_for_running_sends = 500ms;
// A shorter piece would be found in what is somebody else's.
constexpr size_t shortest_trace = 6;

// Of no plugin's instance: those have names.
const Values salt_place = {std::string{}, std::string{"erasure_salt"}, int64_t{0}};

std::optional<std::string> find_salt(Session& session) {
    const auto row = session.first(sql::kv_find, salt_place);
    if (!row) return std::nullopt;
    return row->bytes(0);
}

std::string require_salt(Transaction& tx, TimeMs now) {
    if (auto salt = find_salt(tx)) return *salt;
    const std::string salt = random_bytes(32);
    tx.run(sql::kv_put, {salt_place[0], salt_place[1], Blob{salt}, int64_t{0}, now});
    return salt;
}

std::string proof_of(const std::string& salt, const Address& address) {
    return to_hex(hmac_sha256(salt, address.kind + ":" + address.value));
}

std::string draft_of(const ContactView& contact) {
    JsonArray addresses = make_array();
    for (const Address& one : contact.addresses) addresses->add(one.kind + ":" + one.value);
    JsonObject json = make_object();
    json->set("addresses", addresses);
    return to_json(json);
}

Rows conversations_of(Session& session, const std::string& contact) {
    return session.run(sql::conversation_of_contact, {contact});
}

// True: nothing of the conversation is on its way to the provider any more.
bool call_off(Transaction& tx, const std::string& conversation, TimeMs now) {
    const Rows open = tx.run(sql::erase_open_sends, {conversation});
    bool all_ended = open.size() < sends_at_once;
    for (const Row& row : open) {
        cancel_message(tx, row.text(0), now);
        if (tx.first(sql::erase_running, {row.text(0)})) all_ended = false;
    }
    return all_ended;
}

void hide_consents(Transaction& tx, const Address& address, const std::string& proof) {
    const std::string hidden = "erased:" + proof;
    tx.run(sql::erase_older_consents, {address.kind, hidden});  // It was erased once before.
    tx.run(sql::erase_consents, {hidden, address.kind, address.value});
    tx.run(sql::erase_consent_history, {hidden, address.kind, address.value});
}

// Who was not handed over yet is not any more; the others keep what became of them.
void erase_recipients_of(Transaction& tx, const std::string& task, const std::string& recipients,
                         const std::vector<Address>& addresses) {
    JsonArray list = parse_json(recipients).extract<JsonArray>();
    bool found = false;
    for (unsigned place = 0; place < list->size(); ++place) {
        const std::string text = list->getElement<std::string>(place);
        const bool is_theirs =
            std::any_of(addresses.begin(), addresses.end(),
                        [&](const Address& one) { return text == one.kind + ":" + one.value; });
        if (!is_theirs) continue;
        found = true;
        list->set(place, "?erased");
        tx.change(sql::bulk_item_add,
                  {task, int64_t{place}, Value{}, std::string("recipient_opted_out"),
                   std::string("the recipient asked to be forgotten")});
    }
    if (found) tx.change(sql::erase_recipients, {to_json(list), task});
}

}  // namespace

bool was_erased(Session& session, const Address& address) {
    const auto salt = find_salt(session);
    return salt && session.first(sql::erasure_find, {proof_of(*salt, address)}).has_value();
}

std::string begin_erasure(Transaction& tx, Ids& ids, const ErasureOrder& order, TimeMs now) {
    const ContactView& contact = order.contact;
    const std::string salt = require_salt(tx, now);
    for (const Address& address : contact.addresses) {
        const std::string proof = proof_of(salt, address);
        tx.run(sql::erasure_add, {ids.uuid(), contact.id, proof, order.actor, now});
        hide_consents(tx, address, proof);
    }
    const std::string task = add_task(tx, ids,
                                      {.kind = "erase",
                                       .actor = order.actor,
                                       .subject = contact.id,
                                       .draft = draft_of(contact),
                                       .total = 1},
                                      order.trace, now);
    tx.run(sql::erase_contact, {now, contact.id});
    tx.run(sql::erase_merged, {contact.id});
    tx.run(sql::erase_addresses, {contact.id});
    tx.run(sql::erase_conversations, {now, contact.id});
    tx.run(sql::erase_exports, {contact.id});
    for (const Row& row : conversations_of(tx, contact.id)) {
        call_off(tx, row.text(0), now);
        tx.run(sql::erase_timers, {row.text(0)});
        tx.run(sql::erase_flow_sessions, {row.text(0)});
        tx.run(sql::erase_search_words, {row.text(0)});
        tx.note(changes::conversation_closed, row.text(0));
    }
    return task;
}

/// By what a person's rows are found.
struct Eraser::Traces {
    std::vector<Address> addresses;
    std::vector<std::string> conversations;
    std::vector<std::string> texts;  ///< Ids, and addresses as they stand in requests.

    static Traces read(Session& session, const std::string& contact, const std::string& draft) {
        Traces traces;
        traces.texts.push_back(contact);
        for (const Row& row : conversations_of(session, contact)) {
            traces.conversations.push_back(row.text(0));
            traces.texts.push_back(row.text(0));
        }
        const JsonValue list = value_at(parse_json(draft), "addresses");
        if (list.type() != typeid(JsonArray)) return traces;
        for (const JsonValue& one : *list.extract<JsonArray>()) {
            const std::string text = one.toString();
            const size_t colon = text.find(':');
            traces.add_address({text.substr(0, colon), text.substr(colon + 1)});
        }
        return traces;
    }
    // The plus of a number has several spellings; its digits have one.
    void add_address(const Address& address) {
        addresses.push_back(address);
        const std::string text =
            address.value.starts_with('+') ? address.value.substr(1) : address.value;
        if (text.size() >= shortest_trace) texts.push_back(text);
    }
    bool are_in(std::string_view content) const {
        return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
            return content.find(text) != std::string_view::npos;
        });
    }
};

struct Eraser::Counts {
    int64_t conversations = 0, messages = 0, media = 0, ingress = 0, attempts = 0, answers = 0;
    std::string json() const {
        JsonObject object = make_object();
        object->set("conversations", conversations);
        object->set("messages", messages);
        object->set("media", media);
        object->set("ingress", ingress);
        object->set("attempts", attempts);
        object->set("answers", answers);
        return to_json(object);
    }
};

void Eraser::add_to(TaskRunner& runner) {
    runner.add("erase", [this](const ClaimedJob& job) { run(job); });
}

// Every step may be done again: a process that dies in between leaves the job to the next one.
void Eraser::run(const ClaimedJob& job) {
    std::optional<TaskView> task;
    const auto traces = needs_.store.read([&](Session& session) -> std::optional<Traces> {
        task = find_task(session, job.ref);
        if (!task || task->status != "running") return std::nullopt;
        const auto content = session.first(sql::task_content, {job.ref});
        return Traces::read(session, task->subject, content->text(0));
    });
    Counts counts;
    if (traces) {
        if (!call_off_sends(*traces)) {
            return go_on_later(needs_.store, job, pause_for_running_sends);
        }
        for (const auto& id : traces->conversations) erase_conversation(id, counts);
        erase_ingress(*traces, counts);
        erase_answers(*traces, counts);
        erase_recipients(*traces);
    }
    needs_.store.write([&](Transaction& tx) {
        // Within this work, so that it happens after its commit: it is the last to overwrite an
        // address.
        needs_.store.empty_log();
        const TimeMs now = needs_.store.clock().now_ms();
        const std::string salt = require_salt(tx, now);
        for (const Address& address : traces ? traces->addresses : std::vector<Address>{}) {
            tx.run(sql::erasure_counts, {counts.json(), proof_of(salt, address), task->subject});
        }
        end_task(tx, job, {.successful = 1}, now);
    });
}

// False: one is being sent this moment. F66: what is not with the provider yet does not go there
// any more.
bool Eraser::call_off_sends(const Traces& traces) {
    bool all_ended = true;
    for (const std::string& conversation : traces.conversations) {
        const bool ended = needs_.store.write([&](Transaction& tx) {
            return call_off(tx, conversation, needs_.store.clock().now_ms());
        });
        all_ended = all_ended && ended;
    }
    return all_ended;
}

void Eraser::erase_conversation(const std::string& id, Counts& counts) {
    const int64_t last = needs_.store.read([&](Session& session) {
        const auto row = session.first(sql::erase_last_seq, {id});
        return row ? row->number(0) : int64_t{0};
    });
    for (int64_t seq = 0; seq < last; seq += messages_at_once) {
        erase_messages(id, seq, seq + messages_at_once, counts);
    }
    ++counts.conversations;
    counts.ingress += needs_.store.write([&](Transaction& tx) {
        tx.run(sql::erase_preview, {id});
        const size_t deleted = tx.change(sql::erase_ingress_of, {id});
        tx.run(sql::erase_events, {id});
        return static_cast<int64_t>(deleted);
    });
}

// Before their rows: who dies in between comes back for the rows. A file that others were sent too
// stays for them.
void Eraser::remove_files(const Values& range) {
    if (!needs_.remove_file) return;
    const auto files = needs_.store.read([&](Session& session) {
        std::map<std::string, int64_t> left;
        for (const Row& row : session.run(sql::erase_media_files, range)) --left[row.text(0)];
        for (auto& [key, uses] : left) {
            uses += session.first(sql::erase_file_uses, {key})->number(0);
        }
        return left;
    });
    for (const auto& [key, uses] : files) {
        if (uses == 0) needs_.remove_file(key);
    }
}

void Eraser::erase_messages(const std::string& id, int64_t from, int64_t to, Counts& counts) {
    const Values range = {id, from, to};
    remove_files(range);
    Counts now = counts;
    needs_.store.write([&](Transaction& tx) {
        now = counts;
        tx.change(sql::erase_status_texts, range);
        now.media += static_cast<int64_t>(tx.change(sql::erase_media, range));
        now.attempts += static_cast<int64_t>(tx.change(sql::erase_attempts, range));
        tx.change(sql::erase_jobs, range);
        now.messages += static_cast<int64_t>(
            tx.change(sql::erase_messages, {needs_.store.clock().now_ms(), id, from, to}));
    });
    counts = now;
}

// Also what became no event, or waits to become one: it holds what the person wrote.
void Eraser::erase_ingress(const Traces& traces, Counts& counts) {
    for (int64_t after = 0;;) {
        const Rows rows = needs_.store.read(
            [&](Session& session) { return session.run(sql::erase_ingress_look, {after}); });
        if (rows.empty()) return;
        after = rows.back().number(0);
        for (const Row& row : rows) {
            if (!traces.are_in(row.text(1)) && !traces.are_in(row.bytes(2))) continue;
            needs_.store.write(
                [&](Transaction& tx) { tx.change(sql::erase_ingress, {row.number(0)}); });
            ++counts.ingress;
        }
    }
}

void Eraser::erase_answers(const Traces& traces, Counts& counts) {
    std::string scope, key;
    for (;;) {
        const Rows rows = needs_.store.read([&](Session& session) {
            return session.run(sql::erase_answers_look, {scope, key});
        });
        if (rows.empty()) return;
        scope = rows.back().text(0);
        key = rows.back().text(1);
        for (const Row& row : rows) {
            const bool is_theirs =
                traces.are_in(row.text(0)) || (!row.is_null(2) && traces.are_in(row.bytes(2)));
            if (!is_theirs) continue;
            needs_.store.write([&](Transaction& tx) {
                tx.change(sql::erase_answer, {row.text(0), row.text(1)});
            });
            ++counts.answers;
        }
    }
}

void Eraser::erase_recipients(const Traces& traces) {
    std::string after;
    for (;;) {
        const Rows rows = needs_.store.read(
            [&](Session& session) { return session.run(sql::erase_tasks_look, {after}); });
        if (rows.empty()) return;
        after = rows.back().text(0);
        for (const Row& row : rows) {
            needs_.store.write([&](Transaction& tx) {
                erase_recipients_of(tx, row.text(0), row.text(1), traces.addresses);
            });
        }
    }
}

}  // namespace patchbay
