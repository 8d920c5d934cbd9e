// What was written, and with whom.
//   GET  /api/whatsapp/messages?contact_number=&limit=&page=
//   GET  /api/whatsapp/contacts
//   POST /api/whatsapp/contacts/{phone}/read
#pragma once
#include <Poco/JSON/Object.h>

#include <map>
#include <mutex>
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "config.hpp"
#include "shapes.hpp"

namespace patchbay::twilio_whatsapp {

/// [any thread]
class HistoryApi {
public:
    /// Both outlive it.
    HistoryApi(const Config& config, const Host& host) : config_(config), host_(host) {}

    Response messages(const Request& request) const;
    Response contacts(const Request& request);
    Response read(const Request& request) const;

private:
    using Conversations = std::vector<messaging::ConversationInfo>;

    /// Everything the caller may see of one person on this channel, newest first.
    Conversations conversations_with(const Address& address, const Request& request) const;
    /// All of the channel's. Newest first.
    Conversations all_conversations(const messaging::Asker& asker) const;
    /// Of one person's conversations, newest first.
    ContactShape shape_of(const Conversations& conversations) const;
    /// The number that the contact is known by, also where a conversation goes to an id.
    std::string phone_of(const messaging::ConversationInfo& conversation) const;
    /// Places `skip` to `skip + count` of all their messages, newest first.
    Poco::JSON::Array::Ptr page_of(const Conversations& conversations, uint64_t skip,
                                   uint64_t count) const;
    /// The oldest message that was not read; beyond the last when all were.
    uint64_t first_unread(const messaging::ConversationInfo& conversation) const;
    std::string contacts_body(const messaging::Asker& asker) const;

    /// What was answered last to callers who see the same, with the hub's count of changes.
    struct Kept {
        uint64_t changes = 0;
        int64_t made_ms = 0;
        std::string body;
    };
    std::optional<std::string> kept_body(const std::string& sight, uint64_t changes);
    void keep(const std::string& sight, Kept kept);

    const Config& config_;
    const Host& host_;
    std::mutex mutex_;
    std::map<std::string, Kept> kept_;
};

}  // namespace patchbay::twilio_whatsapp
