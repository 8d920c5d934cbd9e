#include "links.hpp"

namespace patchbay::twilio {
namespace {

// A message can wait before it is sent, but its number is only compared with what Twilio made since
// the attempt: a day more is more than enough.
constexpr int64_t further_back_ms = 24 * 3'600'000;

constexpr uint32_t page_size = 100;
constexpr int max_pages = 20;

void collect(const Host& host, const std::string& conversation, const OutboundMessage& message,
             int64_t since_ms, std::set<std::string>& linked) {
    uint64_t before = 0;
    for (int pages = 0; pages < max_pages; ++pages) {
        const auto page = host.list_messages(
            {.conversation = conversation, .before_seq = before, .limit = page_size});
        for (const messaging::MessageInfo& other : page) {
            const bool counts = other.direction == "out" && other.id != message.id;
            if (counts && !other.provider_id.empty()) linked.insert(other.provider_id);
        }
        if (page.size() < page_size || page.back().created_ms < since_ms - further_back_ms) return;
        before = page.back().seq;
    }
    throw Error(ErrorKind::unavailable, "too many messages to compare with");
}

// All of the contact's. A host that cannot list them knows this one, where an equal text to the
// same number nearly always is.
std::vector<std::string> conversations_of(const Host& host, const OutboundMessage& message) try {
    const auto conversation = host.conversation(message.conversation);
    if (!conversation) throw Error(ErrorKind::unavailable, "the conversation is not there");
    std::vector<std::string> ids;
    for (const auto& any : host.list_conversations({.contact = conversation->contact})) {
        ids.push_back(any.id);
    }
    return ids;
} catch (const Error& error) {
    if (error.kind != ErrorKind::unsupported) throw;
    return {message.conversation};
}

}  // namespace

std::set<std::string> linked_to_others(const Host& host, const OutboundMessage& message,
                                       int64_t since_ms) {
    std::set<std::string> linked;
    for (const std::string& conversation : conversations_of(host, message)) {
        collect(host, conversation, message, since_ms, linked);
    }
    return linked;
}

}  // namespace patchbay::twilio
