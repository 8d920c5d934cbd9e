#include "api/contact_export.hpp"

#include "api/shapes.hpp"
#include "api/statements.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

constexpr int64_t messages_at_once = 200;

/// Written piece by piece: the messages of years are no tree in memory.
class Writer {
public:
    void member(const std::string& name, const JsonValue& value) {
        begin(name);
        out_ += to_json(value);
    }
    void begin(const std::string& name) {
        out_ += out_.empty() || out_.back() == '{' ? "" : ",";
        append_json_string(out_, name);
        out_ += ':';
    }
    void item(const std::string& json) {
        out_ += out_.back() == '[' ? "" : ",";
        out_ += json;
    }
    void raw(const char* text) { out_ += text; }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

JsonObject consent_json(const Row& row, const Address& address) {
    JsonObject json = make_object();
    json->set("address", address.value);
    json->set("channel", row.text(0));
    json->set("state", row.text(1));
    json->set("at", time_json(row.number(2)));
    json->set("source", row.text(3));
    return json;
}

JsonArray consents_of(Session& session, const ContactView& contact, const Statement& statement) {
    JsonArray list = make_array();
    for (const Address& address : contact.addresses) {
        for (const Row& row : session.run(statement, {address.kind, address.value})) {
            JsonObject json = consent_json(row, address);
            if (row.size() > 4) json->set("evidence", json_or_null(row.maybe_text(4)));
            if (row.size() > 5) json->set("actor", row.text(5));
            list->add(json);
        }
    }
    return list;
}

void write_messages(Writer& out, Session& session, const std::string& conversation) {
    for (int64_t before = INT64_MAX;;) {
        std::vector<MessageView> page;
        for (const Row& row :
             session.run(sql::message_list, {conversation, before, messages_at_once})) {
            page.push_back(MessageView::from_row(row));
        }
        if (page.empty()) return;
        load_media(session, page);
        for (const MessageView& message : page) out.item(to_json(message_json(message)));
        before = page.back().seq;
    }
}

void write_conversation(Writer& out, Session& session, const std::string& id) {
    const auto view = find_conversation(session, id);
    if (!view) return;
    std::string json = to_json(conversation_json(session, *view));
    json.pop_back();  // Its brace: the messages are one more member.
    Writer inner;
    inner.raw("[");
    write_messages(inner, session, id);
    inner.raw("]");
    out.item(json + ",\"messages\":" + inner.take() + "}");
}

}  // namespace

std::string export_contact(Session& session, const std::string& contact_id, TimeMs now) {
    const auto contact = find_contact(session, contact_id);
    if (!contact) return {};
    Writer out;
    out.raw("{");
    out.member("exported_at", time_json(now));
    out.member("contact", contact_json(session, *contact));
    out.member("consents", consents_of(session, *contact, sql::consent_of_address));
    out.member("consent_history", consents_of(session, *contact, sql::consent_history_of));
    out.begin("conversations");
    out.raw("[");
    for (const Row& row : session.run(sql::conversation_of_contact, {contact->id})) {
        write_conversation(out, session, row.text(0));
    }
    out.raw("]}");
    return out.take();
}

void add_export_to(TaskRunner& runner, Store& store) {
    runner.add("export", [&store](const ClaimedJob& job) {
        const TimeMs now = store.clock().now_ms();
        const std::string json = store.read([&](Session& session) {
            const auto task = find_task(session, job.ref);
            return task ? export_contact(session, task->subject, now) : std::string{};
        });
        TaskEnd end{.status = "failed", .failed = 1};
        if (!json.empty()) {
            end = {.successful = 1,
                   .result = json,
                   .result_until = now + std::chrono::milliseconds{keep_export}.count()};
        }
        store.write([&](Transaction& tx) { end_task(tx, job, end, now); });
    });
}

}  // namespace patchbay
