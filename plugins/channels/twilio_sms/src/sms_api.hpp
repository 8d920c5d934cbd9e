// The product's own endpoints (S4): a message is sent and asked for by its id.
//   POST /api/sms/send/            {"to_phone", "message", "from_phone"}
//   GET  /api/sms/{uuid}/status/
#pragma once
#include <Poco/JSON/Object.h>

#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <twilio/problem.hpp>
#include <vector>

#include "config.hpp"

namespace patchbay::twilio_sms {

/// [any thread]
class SmsApi {
public:
    /// Both outlive it.
    SmsApi(const Config& config, const Host& host) : config_(config), host_(host) {}

    std::vector<ApiRoute> routes() const;
    Response answer(const Call& call, const Request& request) const;

private:
    /// What a request to send says, and what is wrong with it.
    struct Wanted {
        std::string to, from, text;
        std::vector<twilio::FieldError> errors;
    };
    static Wanted read_wanted(const Poco::JSON::Object& body);
    std::optional<twilio::Problem> fault_in(const Wanted& wanted) const;
    Response answer_for(const messaging::MessageInfo& sent, const Request& request) const;
    Response send(const Call& call, const Request& request) const;
    Response status(const Request& request) const;

    const Config& config_;
    const Host& host_;
};

/// The word of the status, as S4 prints it: QUEUED, SENT, DELIVERED, FAILED, EXPIRED, CANCELLED,
/// UNKNOWN.
std::string status_word(DeliveryStatus status);

}  // namespace patchbay::twilio_sms
