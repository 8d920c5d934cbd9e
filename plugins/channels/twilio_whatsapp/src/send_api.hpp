// One message to one person.
//   POST /api/whatsapp/send   {"phone_number", "message_text", "message_type", "media_url",
//                              "content_sid", "content_variables"}
#pragma once
#include <Poco/JSON/Object.h>

#include <patchbay/sdk.hpp>
#include <string>
#include <twilio/problem.hpp>
#include <vector>

#include "content.hpp"

namespace patchbay::twilio_whatsapp {

/// [any thread]
class SendApi {
public:
    /// Outlives it.
    explicit SendApi(const Host& host) : host_(host) {}

    Response send(const Call& call, const Request& request) const;

    /// Operation `send`: the same fields, queued; answers {"id", "status"}. Throws RequestError
    /// for what is wrong with them, Error(refused) for what the hub refuses.
    std::string perform(const Call& call, const OperationInput& input) const;

private:
    struct Wanted {
        Address to;
        Content content;
        std::vector<twilio::FieldError> errors;
    };
    static Wanted read_wanted(const Poco::JSON::Object& body);
    messaging::NewMessage message_of(const Wanted& wanted) const;

    const Host& host_;
};

}  // namespace patchbay::twilio_whatsapp
