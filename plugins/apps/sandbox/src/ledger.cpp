#include "ledger.hpp"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>
#include <Poco/Timestamp.h>

#include <chrono>

namespace patchbay::sandbox {
namespace {

uint64_t seed_of_this_start() {
    return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

Poco::Dynamic::Var text_or_null(const std::string& text) {
    return text.empty() ? Poco::Dynamic::Var{} : Poco::Dynamic::Var{text};
}

// RFC 2822, as the 2010-04-01 API prints times.
Poco::Dynamic::Var date_or_null(int64_t ms) {
    if (ms == 0) return {};
    const Poco::Timestamp at{ms * 1000};
    return Poco::DateTimeFormatter::format(at, "%w, %d %b %Y %H:%M:%S +0000");
}

bool matches(const Message& message, const Filter& filter) {
    if (!filter.to.empty() && message.to != filter.to) return false;
    if (!filter.from.empty() && message.from != filter.from) return false;
    // A message that waits in the queue has no time of sending yet.
    const int64_t at = message.sent_ms ? message.sent_ms : message.created_ms;
    if (filter.since_ms && at < filter.since_ms) return false;
    return !filter.before_ms || at < filter.before_ms;
}

}  // namespace

Ledger::Ledger(uint64_t seed) : random_(seed ? seed : seed_of_this_start()) {}

std::string Ledger::new_sid(const std::string& letters) {
    std::lock_guard lock{mutex_};
    std::string sid = letters;
    while (sid.size() < letters.size() + 32) {
        sid += "0123456789abcdef"[random_() & 15];
    }
    return sid;
}

Message Ledger::take(Message message) {
    if (message.sid.empty()) message.sid = new_sid(message.media.empty() ? "SM" : "MM");
    std::lock_guard lock{mutex_};
    message.order = ++taken_;
    by_sid_[message.sid] = messages_.size();
    messages_.push_back(message);
    return message;
}

void Ledger::set_status(const std::string& sid, const std::string& status,
                        const std::string& error_code, int64_t now_ms) {
    std::lock_guard lock{mutex_};
    const auto found = by_sid_.find(sid);
    if (found == by_sid_.end()) return;
    Message& message = messages_[found->second];
    // A repeated report of `sent` comes when the message has ended already.
    if (status == "sent" && message.sent_ms) return;
    message.status = status;
    message.error_code = error_code;
    message.updated_ms = now_ms;
    if (status == "sent") message.sent_ms = now_ms;
}

void Ledger::mark_answer_lost(const std::string& sid) {
    std::lock_guard lock{mutex_};
    if (const auto found = by_sid_.find(sid); found != by_sid_.end()) {
        messages_[found->second].answer_lost = true;
    }
}

std::optional<Message> Ledger::find(const std::string& sid) const {
    std::lock_guard lock{mutex_};
    const auto found = by_sid_.find(sid);
    if (found == by_sid_.end()) return std::nullopt;
    return messages_[found->second];
}

std::vector<Message> Ledger::list(const Filter& filter) const {
    std::lock_guard lock{mutex_};
    std::vector<Message> found;
    for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
        if (matches(*message, filter)) found.push_back(*message);
    }
    return found;
}

std::vector<Message> Ledger::all() const {
    std::lock_guard lock{mutex_};
    return messages_;
}

void Ledger::forget() {
    std::lock_guard lock{mutex_};
    messages_.clear();
    by_sid_.clear();
    taken_ = 0;
}

Poco::JSON::Object::Ptr message_json(const Message& message) {
    const std::string place =
        "/2010-04-01/Accounts/" + message.account_sid + "/Messages/" + message.sid;
    const bool service_chooses = message.from.empty();
    Poco::JSON::Object::Ptr links = new Poco::JSON::Object;
    links->set("media", place + "/Media.json");

    Poco::JSON::Object::Ptr json = new Poco::JSON::Object{Poco::JSON_PRESERVE_KEY_ORDER};
    json->set("sid", message.sid);
    json->set("account_sid", message.account_sid);
    json->set("messaging_service_sid", text_or_null(message.messaging_service_sid));
    json->set("from", service_chooses ? Poco::Dynamic::Var{} : Poco::Dynamic::Var{message.from});
    json->set("to", message.to);
    json->set("body", message.body);
    json->set("status", message.status);
    json->set("direction", message.direction);
    json->set("num_segments", "1");
    json->set("num_media", std::to_string(message.media.size()));
    json->set("price", Poco::Dynamic::Var{});
    json->set("price_unit", "USD");
    json->set("error_code", message.error_code.empty()
                                ? Poco::Dynamic::Var{}
                                : Poco::Dynamic::Var{std::stoi(message.error_code)});
    json->set("error_message", Poco::Dynamic::Var{});
    json->set("api_version", "2010-04-01");
    json->set("date_created", date_or_null(message.created_ms));
    json->set("date_sent", date_or_null(message.sent_ms));
    json->set("date_updated", date_or_null(message.updated_ms));
    json->set("uri", place + ".json");
    json->set("subresource_uris", links);
    return json;
}

Poco::JSON::Object::Ptr receipt_json(const Message& message) {
    Poco::JSON::Array::Ptr media = new Poco::JSON::Array;
    for (const std::string& url : message.media) media->add(url);

    Poco::JSON::Object::Ptr json = new Poco::JSON::Object{Poco::JSON_PRESERVE_KEY_ORDER};
    json->set("order", message.order);
    json->set("sid", message.sid);
    json->set("direction", message.direction);
    json->set("from", message.from);
    json->set("to", message.to);
    json->set("body", message.body);
    json->set("media", media);
    json->set("content_sid", text_or_null(message.content_sid));
    json->set("status", message.status);
    json->set("status_callback", message.status_callback);
    json->set("taken_ms", message.created_ms);
    json->set("answer_lost", message.answer_lost);
    return json;
}

}  // namespace patchbay::sandbox
