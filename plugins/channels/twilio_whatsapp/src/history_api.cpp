#include "history_api.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/NumberParser.h>

#include <algorithm>
#include <sstream>
#include <twilio/requests.hpp>

#include "content.hpp"

namespace patchbay::twilio_whatsapp {
namespace {

constexpr uint32_t default_limit = 50, max_limit = 200, max_page = 1'000'000;
constexpr uint32_t conversations_a_call = 200, messages_a_call = 200;
constexpr size_t most_contacts = 10'000;

// A change of consent by the hub's API is no change of a conversation; nobody waits longer for it.
constexpr int64_t kept_for_ms = 2'000;
constexpr size_t most_kept = 64;

std::optional<uint32_t> number_in(const Labels& query, const std::string& key, uint32_t fallback,
                                  uint32_t most) {
    const auto found = query.find(key);
    if (found == query.end()) return fallback;
    unsigned number = 0;
    if (!Poco::NumberParser::tryParseUnsigned(found->second, number)) return std::nullopt;
    return number >= 1 && number <= most ? std::optional<uint32_t>{number} : std::nullopt;
}

struct Wanted {
    Address contact;
    uint32_t limit = default_limit, page = 1;
    std::vector<twilio::FieldError> errors;
};

Wanted read_wanted(const Labels& query) {
    Wanted wanted;
    const auto number = query.find("contact_number");
    if (number == query.end() || number->second.empty()) {
        wanted.errors.push_back({"?contact_number", "missing_field", "is required"});
    } else {
        wanted.contact = recipient_in(number->second);
        if (wanted.contact.value.empty()) {
            wanted.errors.push_back(
                {"?contact_number", "invalid_phone_number", needs_country_code});
        }
    }
    const auto limit = number_in(query, "limit", default_limit, max_limit);
    const auto page = number_in(query, "page", 1, max_page);
    if (!limit) wanted.errors.push_back({"?limit", "invalid_field", "must be 1 to 200"});
    if (!page) wanted.errors.push_back({"?page", "invalid_field", "must be 1 or more"});
    wanted.limit = limit.value_or(default_limit);
    wanted.page = page.value_or(1);
    return wanted;
}

// Who sees the same gets the same list.
std::string sight_of(const messaging::Asker& asker) {
    if (asker.role == "owner" || asker.role == "admin") return "all";
    if (asker.role == "api" && asker.departments.empty()) return "all";
    std::vector<std::string> departments = asker.departments;
    std::sort(departments.begin(), departments.end());
    std::string sight = "of";
    for (const std::string& department : departments) sight += "\n" + department;
    return sight;
}

}  // namespace

HistoryApi::Conversations HistoryApi::conversations_with(const Address& address,
                                                         const Request& request) const {
    const auto contact = host_.find_contact(address);
    if (!contact) return {};
    return host_.list_conversations({.channel = twilio::own_instance(host_),
                                     .contact = contact->id,
                                     .limit = conversations_a_call,
                                     .asker = asker_of(request),
                                     .with_consent = true});
}

HistoryApi::Conversations HistoryApi::all_conversations(const messaging::Asker& asker) const {
    messaging::ConversationQuery query{.channel = twilio::own_instance(host_),
                                       .limit = conversations_a_call,
                                       .asker = asker,
                                       .with_consent = true};
    Conversations all;
    while (all.size() < most_contacts) {
        const auto page = host_.list_conversations(query);
        all.insert(all.end(), page.begin(), page.end());
        if (page.size() < conversations_a_call) break;
        query.after = page.back().id;
    }
    return all;
}

std::string HistoryApi::phone_of(const messaging::ConversationInfo& conversation) const {
    if (conversation.address.kind == "phone") return conversation.address.value;
    if (const auto contact = host_.contact(conversation.contact)) {
        for (const Address& address : contact->addresses) {
            if (address.kind == "phone") return address.value;
        }
    }
    return conversation.address.value;
}

ContactShape HistoryApi::shape_of(const Conversations& conversations) const {
    const messaging::ConversationInfo& newest = conversations.front();
    ContactShape shape{.id = newest.contact,
                       .phone = phone_of(newest),
                       .name = newest.contact_name,
                       .last_message_ms = newest.last_message_ms};
    for (const auto& one : conversations) {
        shape.unread += one.unread;
        shape.is_active = shape.is_active && !one.opted_out;
    }
    return shape;
}

uint64_t HistoryApi::first_unread(const messaging::ConversationInfo& conversation) const {
    uint64_t before = 0;
    uint32_t left = conversation.unread;
    while (left > 0) {
        const auto page = host_.list_messages(
            {.conversation = conversation.id, .before_seq = before, .limit = messages_a_call});
        for (const auto& message : page) {
            if (message.direction == "in" && --left == 0) return message.seq;
        }
        if (page.size() < messages_a_call) return 0;
        before = page.back().seq;
    }
    return conversation.last_seq + 1;
}

// Each conversation numbers its messages without gaps, so a page is found without reading those
// before it.
Poco::JSON::Array::Ptr HistoryApi::page_of(const Conversations& conversations, uint64_t skip,
                                           uint64_t count) const {
    Poco::JSON::Array::Ptr messages = new Poco::JSON::Array;
    for (const auto& conversation : conversations) {
        if (skip >= conversation.last_seq) {
            skip -= conversation.last_seq;
            continue;
        }
        if (count == 0) break;
        const uint64_t unread_from = first_unread(conversation);
        const auto page = host_.list_messages({.conversation = conversation.id,
                                               .before_seq = conversation.last_seq - skip + 1,
                                               .limit = static_cast<uint32_t>(count)});
        for (const auto& message : page) {
            if (message.direction == "note") continue;  // For staff, not for this product.
            messages->add(message_json(message, config_.number(), message.seq >= unread_from));
        }
        count -= std::min<uint64_t>(count, page.size());
        skip = 0;
    }
    return messages;
}

Response HistoryApi::messages(const Request& request) const {
    Wanted wanted = read_wanted(request.query);
    if (!wanted.errors.empty()) {
        return failed_answer(twilio::field_problem(std::move(wanted.errors), 422), request);
    }
    const Conversations conversations = conversations_with(wanted.contact, request);
    uint64_t total = 0;
    for (const auto& one : conversations) total += one.last_seq;
    const uint64_t skip = uint64_t{wanted.page - 1} * wanted.limit;

    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("contact", conversations.empty()
                            ? Poco::Dynamic::Var{}
                            : Poco::Dynamic::Var{contact_json(shape_of(conversations))});
    json.set("messages", page_of(conversations, skip, wanted.limit));
    json.set("total_messages", total);
    json.set("page", wanted.page);
    json.set("page_size", wanted.limit);
    return twilio::json_answer(200, json);
}

std::optional<std::string> HistoryApi::kept_body(const std::string& sight, uint64_t changes) {
    const std::lock_guard lock{mutex_};
    const auto found = kept_.find(sight);
    if (found == kept_.end() || found->second.changes != changes) return std::nullopt;
    if (host_.now_ms() - found->second.made_ms > kept_for_ms) return std::nullopt;
    return found->second.body;
}

void HistoryApi::keep(const std::string& sight, Kept kept) {
    const std::lock_guard lock{mutex_};
    if (kept_.size() >= most_kept) kept_.clear();
    kept_[sight] = std::move(kept);
}

std::string HistoryApi::contacts_body(const messaging::Asker& asker) const {
    // In the order of the newest conversation of each.
    std::vector<Conversations> people;
    std::map<std::string, size_t> place;
    for (auto& one : all_conversations(asker)) {
        if (one.contact.empty()) continue;
        const auto [found, is_new] = place.emplace(one.contact, people.size());
        if (is_new) people.emplace_back();
        people[found->second].push_back(std::move(one));
    }
    Poco::JSON::Array::Ptr contacts = new Poco::JSON::Array;
    uint64_t unread = 0;
    for (const Conversations& person : people) {
        const ContactShape shape = shape_of(person);
        unread += shape.unread;
        contacts->add(contact_json(shape));
    }
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("contacts", contacts);
    json.set("total_count", people.size());
    json.set("unread_count", unread);
    std::ostringstream body;
    json.stringify(body);
    return body.str();
}

Response HistoryApi::contacts(const Request& request) {
    const messaging::Asker asker = asker_of(request);
    const std::string sight = sight_of(asker);
    // Before the list: what changes while it is made makes it old at once.
    const uint64_t changes = host_.channel_state().changes;
    auto body = kept_body(sight, changes);
    if (!body) {
        body = contacts_body(asker);
        keep(sight, {.changes = changes, .made_ms = host_.now_ms(), .body = *body});
    }
    return {200, *body, {{"content-type", "application/json"}}};
}

Response HistoryApi::read(const Request& request) const {
    const auto phone = request.params.find("phone");
    const Address address =
        recipient_in(phone == request.params.end() ? std::string{} : phone->second);
    if (address.value.empty()) {
        return failed_answer(
            twilio::field_problem({{"phone", "invalid_phone_number", needs_country_code}}, 422),
            request);
    }
    const Conversations conversations = conversations_with(address, request);
    if (conversations.empty()) {
        return failed_answer({404, "unknown_id", "No such contact", "There is no such contact."},
                             request);
    }
    uint32_t marked = 0;
    for (const auto& one : conversations) {
        if (one.unread == 0) continue;
        host_.read_conversation(one.id, "", one.last_seq);
        marked += one.unread;
    }
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("success", true);
    json.set("message", "Marked as read");
    json.set("messages_marked", marked);
    return twilio::json_answer(200, json);
}

}  // namespace patchbay::twilio_whatsapp
