// The product's own endpoints (S3), and one operation for other plugins.
//   POST /api/whatsapp/send                       GET /api/whatsapp/messages
//   POST /api/whatsapp/send-bulk                  GET /api/whatsapp/contacts
//   GET  /api/whatsapp/send-bulk/{job_id}         POST /api/whatsapp/contacts/{phone}/read
//   POST /api/whatsapp/send-bulk/{job_id}/stop    GET /api/whatsapp/health
//   GET  /api/whatsapp/twilio-webhook             whether this is the right place
#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "bulk_api.hpp"
#include "config.hpp"
#include "history_api.hpp"
#include "send_api.hpp"

namespace patchbay::twilio_whatsapp {

/// [any thread]
class WhatsAppApi {
public:
    /// Both outlive it.
    WhatsAppApi(const Config& config, const Host& host)
        : config_(config), host_(host), send_(host), bulk_(host), history_(config, host) {}

    std::vector<ApiRoute> routes() const;
    Response answer(const Call& call, const Request& request);

    std::vector<OperationInfo> operations() const;
    std::string perform(const Call& call, const OperationInput& input) {
        return send_.perform(call, input);
    }

    /// Never calls Twilio: what the last sends came to is known already.
    Health health(const Call& call) const;

private:
    Response health_answer() const;
    Response probe(const Request& request) const;

    const Config& config_;
    const Host& host_;
    SendApi send_;
    BulkApi bulk_;
    HistoryApi history_;
};

}  // namespace patchbay::twilio_whatsapp
