// The objects that S3's clients read.
#pragma once
#include <Poco/JSON/Object.h>

#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

namespace patchbay::twilio_whatsapp {

/// queued, sent, read, failed; a delivered message is `sent` here.
std::string status_word(DeliveryStatus status);

/// null, or {"code", "reason"}.
Poco::Dynamic::Var error_json(const std::string& code, const std::string& reason);

struct ContactShape {
    std::string id, phone, name;
    int64_t last_message_ms = 0;
    uint32_t unread = 0;
    bool is_active = true;
};
Poco::JSON::Object::Ptr contact_json(const ContactShape& contact);

/// `own`: our number, where the message does not name one. `is_unread`: of an inbound message.
Poco::JSON::Object::Ptr message_json(const messaging::MessageInfo& message, const std::string& own,
                                     bool is_unread);

/// Who asks, for the hub's own check of what they may see.
messaging::Asker asker_of(const Request& request);

}  // namespace patchbay::twilio_whatsapp
